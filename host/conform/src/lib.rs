//! The conformance suite: checks whether a handler keeps the promises of the contract in `wit/`.
//! Authors of handlers run it before they release one.
//!
//! A [`Suite`] runs a handler as a runner does, with the store that its configuration names. Where
//! a store has to fail, it uses a store that is scripted inside the host. Each [`Check`] tests one
//! promise. A breach is counted for the check of the promise that it breaks, wherever it is found.
//! A check that cannot continue because of it is reported as not looked at. So one mistake is one
//! failed check.
//!
//! | module | its part |
//! |---|---|
//! | `check` | the list of all promises |
//! | `describe`, `config`, `inputs`, `outputs`, `lifecycle`, `order`, `odd`, `counters`, `store`, `text` | one group of scenarios each |
//! | `subject`, `rows`, `values` | the handler, and the rows that it is asked for |
//! | `session`, `bundle`, `answer`, `ordinary` | one instance and its bundles; answers, read row by row and compared |
//! | `report` | the results |

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
mod ordinary;
mod outputs;
mod report;
mod rows;
mod session;
mod store;
mod subject;
mod suite;
mod text;
mod values;

pub use breach::Breach;
pub use check::{CHECKS, Check};
pub use report::{CheckOutcome, Report};
pub use suite::Suite;
