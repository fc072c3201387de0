//! The answer for some rows of a bundle, checked.

use super::error::HandlerError;
use crate::bindings::beamlet::enrichment::types as wit;
use crate::columns;
use arrow_array::RecordBatch;
use beamlet_egress::Secrets;

/// The answer for the next rows of a bundle, in the order they were given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Enriched {
    /// The features, a row each: null for a row in one of the lists below.
    pub features: RecordBatch,
    /// Ascending positions of rows whose key names no entity that the store knows.
    pub missing: Vec<u32>,
    /// Ascending positions of rows whose key is null.
    pub null_keys: Vec<u32>,
    /// Rows that could not be enriched, in ascending order.
    pub failures: Vec<Failure>,
}

/// One row that could not be enriched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Its position.
    pub row: u32,
    /// Why.
    pub error: HandlerError,
}

impl Enriched {
    /// Takes over an answer; the error says what the contract does not allow in it.
    pub(crate) fn check(answer: wit::Enriched, secrets: &Secrets) -> Result<Self, String> {
        let rows = answer.fields.rows;
        ascending("missing", &answer.missing, rows)?;
        ascending("null-keys", &answer.null_keys, rows)?;
        let failed: Vec<u32> = answer.failures.iter().map(|failure| failure.row).collect();
        ascending("failures", &failed, rows)?;
        let mut all: Vec<u32> = [answer.missing.as_slice(), &answer.null_keys, &failed].concat();
        all.sort_unstable();
        if let Some(pair) = all.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!(
                "row {} is in two of `missing`, `null-keys` and `failures`",
                pair[0]
            ));
        }
        let failures = answer.failures.into_iter();
        Ok(Enriched {
            missing: answer.missing,
            null_keys: answer.null_keys,
            failures: failures
                .map(|wit::RowFailure { row, error }| Failure {
                    row,
                    error: HandlerError::new(error, secrets),
                })
                .collect(),
            features: columns::to_arrow(answer.fields)?,
        })
    }

    /// How many rows the answer is for.
    pub fn rows(&self) -> usize {
        self.features.num_rows()
    }

    /// How many of them came back with an entity's features.
    pub fn enriched(&self) -> usize {
        self.rows() - self.missing.len() - self.null_keys.len() - self.failures.len()
    }
}

/// Checks that positions ascend, and are positions of rows.
fn ascending(list: &str, positions: &[u32], rows: u32) -> Result<(), String> {
    if let Some(pair) = positions.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("`{list}` does not ascend: {} stands before {}", pair[0], pair[1]));
    }
    match positions.last() {
        Some(last) if *last >= rows => Err(format!("`{list}` names row {last} of {rows}")),
        _ => Ok(()),
    }
}
