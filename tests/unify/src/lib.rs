//! Nothing by itself.
//!
//! Cargo takes the union of the features that the packages of a command ask for. `cargo build`
//! leaves out what only tests ask for, so that a test run would compile shared dependencies once
//! more, with other features. This package depends on what the tests depend on, and is in the
//! workspace: every command for the workspace takes one set of features. It is never built for a
//! program. `cargo xtask check` fails where the sets differ.
