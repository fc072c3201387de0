//! Answers of the online store become typed columns: a row an entity, in the order of the request.
//!
//! Two parsers read the same answers. [`fast_path`] reads an answer with the features of the answer
//! before, which is nearly every answer; [`reader`] reads any, and says what is wrong with one that
//! cannot be used. The tests read each answer with both and compare.

mod extras;
mod fast_path;
mod metadata;
mod reader;
#[cfg(test)]
mod tests;

use crate::config::Configuration;
use beamlet_guest::slots::Entity;
use beamlet_guest::{Batch, Enriched, Error, Response, RowFailure};
pub(crate) use extras::Extras;
use extras::FeatureExtras;
use metadata::{Known, Parsed, broken};
use reader::Reader;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the answers of a configuration's requests.
pub(crate) struct Answers {
    batch: bool,
    extras: Extras,
    /// Whether statuses are asked for: as a field that comes out, or to distinguish missing
    /// entities from features that came too late.
    statuses: bool,
    /// What is known of the last answer.
    last: Mutex<Option<Arc<Known>>>,
}

impl Answers {
    pub(crate) fn new(config: &Configuration) -> Self {
        Answers {
            batch: config.batching.max_batch_size > 1,
            extras: (&config.retrieval.metadata_options).into(),
            statuses: config.retrieval.asks_for_statuses(),
            last: Mutex::default(),
        }
    }

    /// What is asked for in addition to the features.
    pub(crate) fn extras(&self) -> Extras {
        self.extras
    }

    /// Reads an answer: exactly a row an entity, or an error for all of them.
    pub(crate) fn read(&self, entities: &[Entity], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(response.grpc_refusal());
        }
        let reader = Reader { batch: self.batch, rows: entities.len(), last: &self.last };
        let lossy: Cow<'_, str>;
        let Parsed { features, mut fields, failures, partial, texts } =
            match std::str::from_utf8(&response.body) {
                Ok(text) => match self.fast_path(text, entities) {
                    Some(parsed) => parsed,
                    None => reader.read(text)?,
                },
                Err(error) => {
                    lossy = String::from_utf8_lossy(&response.body);
                    let parsed = reader.value_by_value(&lossy, true);
                    let none = || broken(&format!("it is not UTF-8: {error}")).retryable();
                    parsed.unwrap_or_else(|| Err(none()))?
                }
            };
        let (of_features, slo) = texts.unwrap_or_default();
        let extras = self.extras.of_features(of_features, self.statuses)?;
        let mut known = known(&fields, &extras, partial);
        let mut failed = vec![false; known.len()];
        for failure in &failures {
            (known[failure.row as usize], failed[failure.row as usize]) = (true, true);
        }
        if self.extras.any() {
            let slo = self.extras.slo(slo)?;
            let names = features.iter().map(|feature| feature.name.as_str());
            let named =
                names.zip(extras.into_iter().chain(std::iter::repeat_with(Default::default)));
            fields.columns.extend(self.extras.columns(named, &slo, &failed));
        }
        Ok(enriched(entities, &known, failures, fields))
    }

    /// Reads an answer with the features of the answer before; `None` where it has to be read by
    /// the [`Reader`].
    fn fast_path<'a>(&self, text: &'a str, entities: &[Entity]) -> Option<Parsed<'a>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let metadata = self.extras.any() || self.statuses;
        fast_path::read(&last, text, entities.len(), self.batch, metadata)
    }
}

/// For each row, whether the store knows the entity. For an unknown one, all features are null and,
/// where statuses were asked for, their data is missing. A null that was computed, or that came too
/// late, does not make an entity unknown.
fn known(fields: &Batch, extras: &[FeatureExtras<'_>], partial: bool) -> Vec<bool> {
    let mut known = vec![partial; fields.rows as usize];
    for column in &fields.columns {
        if column.nulls.is_empty() {
            known.fill(true);
            return known;
        }
        for (known, null) in known.iter_mut().zip(column.null_mask()) {
            *known |= !null;
        }
    }
    let is_missing = |status: &str| matches!(status, "MISSING_DATA" | "CACHED_MISSING_DATA");
    for feature in extras {
        for (known, status) in known.iter_mut().zip(&feature.statuses) {
            *known |= !is_missing(status);
        }
    }
    known
}

/// The answer, with the outcome of each row.
fn enriched(
    entities: &[Entity],
    known: &[bool],
    failures: Vec<RowFailure>,
    fields: Batch,
) -> Enriched {
    let (mut missing, mut null_keys) = (Vec::new(), Vec::new());
    for (at, (known, entity)) in known.iter().zip(entities).enumerate() {
        match (known, entity.null_key) {
            (true, _) => {}
            (false, true) => null_keys.push(at as u32),
            (false, false) => missing.push(at as u32),
        }
    }
    Enriched { fields, missing, null_keys, failures }
}
