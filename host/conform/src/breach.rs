//! A promise that was broken, and how a check ends.

/// A promise that a handler has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The check that holds handlers to the promise.
    pub check: &'static str,
    /// What was done.
    pub done: String,
    /// What the contract promises of it.
    pub expected: String,
    /// What came instead.
    pub came: String,
}

/// How a scenario ended that broke no promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The promise was looked at, and held.
    Yes,
    /// There was nothing to look at; the text says why.
    NotApplicable(String),
}

/// How a scenario ended: a breach stops it, and may be one of another promise than its own.
pub(super) type Verdict = Result<Kept, Breach>;
