//! Whether a handler keeps the promises of the contract in `wit/`: what its author runs before
//! anybody else does.
//!
//! A [`Suite`] exercises a handler as a runner does, with the store that its configuration names,
//! and with one that is scripted inside the host where a store has to fail. Each [`Check`] holds it
//! to one promise. A breach counts for the check of the promise that it breaks, wherever it shows;
//! a check that could not go on for it is not looked at, and says so. So one mistake is one failed
//! check.
//!
//! | module | its part |
//! |---|---|
//! | `check` | the list of all promises |
//! | `describe`, `config`, `inputs`, `outputs`, `lifecycle`, `order`, `odd`, `counters`, `store`, `text` | a group of scenarios each |
//! | `subject`, `rows` | the handler, and the rows that it is asked for |
//! | `session`, `bundle`, `answer` | one instance, called as it is; what comes, read row by row |
//! | `report` | what came of it |

mod answer;
mod breach;
mod bundle;
mod check;
mod config;
mod counters;
mod describe;
mod inputs;
mod lifecycle;
mod odd;
mod order;
mod outputs;
mod pointer;
mod report;
mod rows;
mod session;
mod store;
mod subject;
mod suite;
mod text;

pub use breach::Breach;
pub use check::{CHECKS, Check};
pub use report::{Outcome, Report};
pub use suite::Suite;
