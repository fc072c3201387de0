//! Answers of the online store: a row of cells an entity becomes typed columns, a row an
//! entity, in the order of the request.

use crate::config::Configuration;
use crate::data_type::{DataType, WireType};
use crate::entity::Entity;
use crate::features::{Cell, column};
use crate::refusal::refusal;
use beamlet_guest::{Batch, Enriched, Error, ErrorKind, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the answers of a configuration's requests.
pub(crate) struct Answers {
    batch: bool,
    /// The features of the last answer. The next one most likely has the same, to the letter.
    last: Mutex<Option<(Box<str>, Arc<[Feature]>)>>,
}

/// A feature that comes out.
struct Feature {
    name: String,
    of: DataType,
}

#[derive(Deserialize)]
struct Single<'a> {
    #[serde(borrow)]
    result: Row<'a>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Several<'a> {
    #[serde(borrow)]
    result: Vec<Row<'a>>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, default)]
    features: Vec<Cell<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    features: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFeature<'a> {
    name: Option<String>,
    #[serde(borrow)]
    data_type: Option<WireType<'a>>,
}

impl Answers {
    pub(crate) fn new(config: &Configuration) -> Self {
        Answers { batch: config.batching.max_batch_size > 1, last: Mutex::default() }
    }

    /// Reads an answer: exactly a row an entity, or an error for all of them.
    pub(crate) fn read(&self, entities: &[Entity], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(refusal(response));
        }
        let text = std::str::from_utf8(&response.body)
            .map_err(|error| broken(&format!("it is not UTF-8: {error}")))?;
        let (rows, metadata) = self.parse(text)?;
        if rows.len() != entities.len() {
            return Err(broken(&format!(
                "it has {} rows for {} entities",
                rows.len(),
                entities.len()
            )));
        }
        let features = self.features(metadata)?;
        Ok(enriched(entities, columns(rows, features)?))
    }

    fn parse<'a>(&self, text: &'a str) -> Result<(Vec<Row<'a>>, Option<Metadata<'a>>), Error> {
        let parsed = if self.batch {
            serde_json::from_str(text).map(|Several { result, metadata }| (result, metadata))
        } else {
            serde_json::from_str(text).map(|Single { result, metadata }| (vec![result], metadata))
        };
        parsed.map_err(|error| {
            let what = if error.is_data() { "is not of the promised form" } else { "is not JSON" };
            broken(&format!("it {what}: {error}"))
        })
    }

    /// Names and types of the features, in the order of their values.
    fn features(&self, metadata: Option<Metadata<'_>>) -> Result<Arc<[Feature]>, Error> {
        let text = metadata
            .and_then(|metadata| metadata.features)
            .ok_or_else(|| broken("it has no metadata, though names and types were asked for"))?
            .get();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, features)) = &*last
            && **known == *text
        {
            return Ok(features.clone());
        }
        let features: Arc<[Feature]> = read_features(text)?.into();
        *last = Some((text.into(), features.clone()));
        Ok(features)
    }
}

fn read_features(text: &str) -> Result<Vec<Feature>, Error> {
    let wire: Vec<WireFeature<'_>> = serde_json::from_str(text)
        .map_err(|error| broken(&format!("its metadata is not of the promised form: {error}")))?;
    wire.into_iter()
        .enumerate()
        .map(|(at, feature)| match (feature.name, feature.data_type) {
            (Some(name), Some(of)) => Ok(Feature { name, of: (&of).into() }),
            (None, _) => Err(broken(&format!("feature {at} has no name"))),
            (Some(name), None) => Err(broken(&format!("feature `{name}` has no data type"))),
        })
        .collect()
}

/// Turns rows of cells into columns.
fn columns(mut rows: Vec<Row<'_>>, features: Arc<[Feature]>) -> Result<Batch, Error> {
    if let Some(odd) = rows.iter().find(|row| row.features.len() != features.len()) {
        return Err(broken(&format!(
            "a row has {} values for {} features",
            odd.features.len(),
            features.len()
        )));
    }
    let mut columns = Vec::with_capacity(features.len());
    for (at, feature) in features.iter().enumerate() {
        let cells = rows.iter_mut().map(|row| std::mem::take(&mut row.features[at])).collect();
        let column = column(&feature.name, &feature.of, cells)
            .map_err(|why| broken(&format!("feature `{}` {why}", feature.name)))?;
        columns.push(column);
    }
    Ok(Batch { rows: rows.len() as u32, columns })
}

/// Tells the rows that the store knows nothing for from the enriched ones: an unknown entity
/// is answered with nulls only.
fn enriched(entities: &[Entity], fields: Batch) -> Enriched {
    let mut known = vec![false; entities.len()];
    for column in &fields.columns {
        for (known, null) in known.iter_mut().zip(column.null_mask()) {
            *known |= !null;
        }
    }
    let (mut missing, mut null_keys) = (Vec::new(), Vec::new());
    for (at, (known, entity)) in known.iter().zip(entities).enumerate() {
        match (known, entity.null_key) {
            (true, _) => {}
            (false, true) => null_keys.push(at as u32),
            (false, false) => missing.push(at as u32),
        }
    }
    Enriched { fields, missing, null_keys, failures: Vec::new() }
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the feature store's answer cannot be used: {why}"))
}
