//! A broken promise, and the result of a scenario.

/// A promise that a handler has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The name of the check of that promise.
    pub check: &'static str,
    /// What was done.
    pub done: String,
    /// What the contract promises.
    pub expected: String,
    /// What happened instead.
    pub came: String,
}

/// The result of a scenario that found no breach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The promise was tested and holds.
    Yes,
    /// The promise could not be tested; the text says why.
    NotApplicable(String),
}

/// The result of a scenario. A breach ends it, and can concern another promise than the scenario's
/// own.
pub(super) type Verdict = Result<Kept, Breach>;
