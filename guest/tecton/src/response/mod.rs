//! Answers of the online store: a row of cells an entity becomes typed columns, a row an
//! entity, in the order of the request.

use template::{Template, same};
mod extras;
mod fast_path;
mod template;
#[cfg(test)]
mod tests;

use crate::config::Configuration;
use crate::data_type::WireType;
use beamlet_guest::FieldType;
use beamlet_guest::check::count;
use beamlet_guest::columns::{Cell, column};
use beamlet_guest::contract::time::micros_cut;
use beamlet_guest::slots::Entity;
use beamlet_guest::{Batch, Enriched, Error, ErrorKind, Response, RowFailure};
pub(crate) use extras::Extras;
use extras::{FeatureExtras, Slo};
use fast_path::{Columns, Rows};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the answers of a configuration's requests.
pub(crate) struct Answers {
    batch: bool,
    extras: Extras,
    /// Whether statuses are asked for, to come out or to be looked at.
    statuses: bool,
    /// The features of the last answer. The next one most likely has the same, to the letter.
    last: Mutex<Option<Arc<Known>>>,
}

/// What is known of an answer, and of the next one if it is the same to the letter.
struct Known {
    /// What the metadata tells of the features.
    told: Box<str>,
    features: Arc<[Feature]>,
    template: Template,
}

/// A feature that comes out.
struct Feature {
    name: String,
    of: FieldType,
}

/// An answer that was read.
struct Whole<'a> {
    features: Arc<[Feature]>,
    /// Null in the rows that failed.
    fields: Batch,
    /// Rows with a value that cannot be read.
    failures: Vec<RowFailure>,
    /// Whether it says that its results are partial.
    partial: bool,
    /// What the metadata tells of the features, and of the service level; not read where nobody
    /// asks for it.
    told: Option<(&'a str, Option<&'a RawValue>)>,
}

/// Reads an answer's rows into columns, and gives its metadata.
struct Answer<'c, 'f, 'a> {
    columns: &'c mut Columns<'f, 'a>,
    batch: bool,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Answer<'_, '_, 'a> {
    type Value = Metadata<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Answer<'_, '_, 'a> {
    type Value = Metadata<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut answer: A) -> Result<Self::Value, A::Error> {
        let (mut metadata, mut result) = (None, false);
        while let Some(key) = answer.next_key::<&str>()? {
            match key {
                "result" if !result => {
                    let seed = Results { columns: &mut *self.columns, batch: self.batch };
                    answer.next_value_seed(seed)?;
                    result = true;
                }
                "metadata" if metadata.is_none() => metadata = Some(answer.next_value()?),
                "result" | "metadata" => return Err(A::Error::custom("twice")),
                _ => drop(answer.next_value::<IgnoredAny>()?),
            }
        }
        metadata.filter(|_| result).ok_or_else(|| A::Error::custom("not whole"))
    }
}

/// Reads the rows of an answer into columns.
struct Results<'c, 'f, 'a> {
    columns: &'c mut Columns<'f, 'a>,
    batch: bool,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Results<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.batch {
            true => Rows(self.columns).deserialize(deserializer),
            false => fast_path::Row(self.columns).deserialize(deserializer),
        }
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "R: Deserialize<'de>"))]
struct Single<'a, R> {
    result: R,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "R: Deserialize<'de>"))]
struct Several<'a, R> {
    result: Vec<R>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, default)]
    features: Vec<Cell<'a>>,
}

/// A row whose values are still texts.
#[derive(Deserialize)]
struct RawRow<'a> {
    #[serde(borrow, default)]
    features: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    features: Option<&'a RawValue>,
    #[serde(borrow)]
    slo_info: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_results: Option<&'a RawValue>,
}

impl Metadata<'_> {
    fn is_partial(&self) -> bool {
        self.partial_results.is_some_and(|value| value.get() != "false")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFeature<'a> {
    name: Option<String>,
    #[serde(borrow)]
    data_type: Option<WireType<'a>>,
}

/// What a feature's metadata holds that changes from answer to answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireExtras<'a> {
    #[serde(borrow, default)]
    status: Option<OneOrMore<Text<'a>>>,
    #[serde(borrow, default)]
    effective_time: Option<Text<'a>>,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value for the one row, or one for each.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    More(Vec<T>),
    One(T),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMore::More(list) => list,
            OneOrMore::One(one) => vec![one],
        }
    }
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

    /// What is asked for beside the features.
    pub(crate) fn extras(&self) -> Extras {
        self.extras
    }

    /// Reads an answer: exactly a row an entity, or an error for all of them.
    pub(crate) fn read(&self, entities: &[Entity], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(response.grpc_refusal());
        }
        let lossy: Cow<'_, str>;
        let Whole { features, mut fields, failures, partial, told } =
            match std::str::from_utf8(&response.body) {
                Ok(text) => match self.as_before(text, entities) {
                    Some(whole) => whole,
                    None => self.anew(text, entities)?,
                },
                Err(error) => {
                    lossy = String::from_utf8_lossy(&response.body);
                    let whole = self.value_by_value(&lossy, entities, true);
                    let none = || broken(&format!("it is not UTF-8: {error}")).retryable();
                    whole.unwrap_or_else(|| Err(none()))?
                }
            };
        let (told, slo) = told.unwrap_or_default();
        let extras = self.told_extras(told)?;
        let mut known = known(&fields, &extras, partial);
        let mut failed = vec![false; known.len()];
        for failure in &failures {
            (known[failure.row as usize], failed[failure.row as usize]) = (true, true);
        }
        if self.extras.any() {
            let slo = self.slo(slo)?;
            let names = features.iter().map(|feature| feature.name.as_str());
            let named =
                names.zip(extras.into_iter().chain(std::iter::repeat_with(Default::default)));
            fields.columns.extend(self.extras.columns(named, &slo, &failed));
        }
        Ok(enriched(entities, &known, failures, fields))
    }

    /// Reads an answer with the features of the one before; `None` where anything is not as it
    /// was, or not as it should be.
    fn as_before<'a>(&self, text: &'a str, entities: &[Entity]) -> Option<Whole<'a>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let features = last.features.iter().map(|feature| (&*feature.name, &feature.of));
        let mut columns = Columns::new(features, entities.len());
        let (partial, told) = match last.template.rows(text).filter(|_| !self.asks_metadata()) {
            Some(rows) => {
                let mut parser = serde_json::Deserializer::from_str(rows);
                let seed = Results { columns: &mut columns, batch: self.batch };
                seed.deserialize(&mut parser).ok()?;
                parser.end().ok()?;
                (last.template.partial, None)
            }
            None => {
                let mut parser = serde_json::Deserializer::from_str(text);
                let seed = Answer { columns: &mut columns, batch: self.batch };
                let metadata = seed.deserialize(&mut parser).ok()?;
                parser.end().ok()?;
                let told = metadata.features?.get();
                if !same(told.as_bytes(), last.told.as_bytes()) {
                    return None;
                }
                (metadata.is_partial(), Some((told, metadata.slo_info)))
            }
        };
        if columns.rows() as usize != entities.len() {
            return None;
        }
        let fields = Batch { rows: columns.rows(), columns: columns.finish()? };
        let (features, failures) = (last.features.clone(), Vec::new());
        Some(Whole { features, fields, failures, partial, told })
    }

    /// Whether more than names and types of the metadata has to be looked at.
    fn asks_metadata(&self) -> bool {
        self.extras.any() || self.statuses
    }

    /// Reads an answer of any features; value by value, where one of them spoils it.
    fn anew<'a>(&self, text: &'a str, entities: &[Entity]) -> Result<Whole<'a>, Error> {
        self.in_one(text, entities)
            .or_else(|error| self.value_by_value(text, entities, false).unwrap_or(Err(error)))
    }

    fn in_one<'a>(&self, text: &'a str, entities: &[Entity]) -> Result<Whole<'a>, Error> {
        let (rows, metadata) = self.parse::<Row<'a>>(text)?;
        if rows.len() != entities.len() {
            let (rows, entities) = (count(rows.len(), "row"), count(entities.len(), "entity"));
            // The next answer may be whole: what is between here and the store cuts answers short.
            return Err(broken(&format!("it has {rows} for {entities}")).retryable());
        }
        let none = "it has no metadata, though names and types were asked for";
        let metadata = metadata.ok_or_else(|| broken(none))?;
        let told = metadata.features.ok_or_else(|| broken(none))?.get();
        let partial = metadata.is_partial();
        let features = self.features(text, told, partial)?;
        let fields = columns(rows, &features)?;
        let told = Some((told, metadata.slo_info));
        Ok(Whole { features, fields, failures: Vec::new(), partial, told })
    }

    /// Reads each value for itself, so that one that cannot be read fails its own row. In a
    /// `damaged` text a replacement character stands where bytes were no UTF-8. `None` where the
    /// answer is wrong beside its values; an error where every row fails for one reason.
    fn value_by_value<'a>(
        &self,
        text: &'a str,
        entities: &[Entity],
        damaged: bool,
    ) -> Option<Result<Whole<'a>, Error>> {
        let (rows, metadata) = self.parse::<RawRow<'a>>(text).ok()?;
        let metadata = metadata.filter(|_| rows.len() == entities.len() && !rows.is_empty())?;
        let told = metadata.features?.get();
        let partial = metadata.is_partial();
        let features = self.features(text, told, partial).ok()?;
        let mut failures = Vec::new();
        let rows = (0..).zip(rows).map(|(row, raw)| match cells(&raw, &features, damaged) {
            Ok(features) => Row { features },
            Err(error) => {
                failures.push(RowFailure { row, error });
                Row { features: vec![Cell::Null; features.len()] }
            }
        });
        let rows: Vec<Row<'a>> = rows.collect();
        let alike = |other: &RowFailure| other.error.message == failures[0].error.message;
        if failures.len() == rows.len() && failures.iter().all(alike) {
            return failures.into_iter().next().map(|failure| Err(failure.error));
        }
        let fields = match columns(rows, &features) {
            Ok(fields) => fields,
            Err(error) => return Some(Err(error)),
        };
        let told = Some((told, metadata.slo_info));
        Some(Ok(Whole { features, fields, failures, partial, told }))
    }

    fn parse<'a, R: Deserialize<'a>>(
        &self,
        text: &'a str,
    ) -> Result<(Vec<R>, Option<Metadata<'a>>), Error> {
        let parsed = if self.batch {
            serde_json::from_str(text).map(|Several { result, metadata }| (result, metadata))
        } else {
            serde_json::from_str(text).map(|Single { result, metadata }| (vec![result], metadata))
        };
        parsed.map_err(|error| match error.is_data() {
            true => broken(&format!("it is not of the promised form: {error}")),
            false => broken(&format!("it is not JSON: {error}")).retryable(),
        })
    }

    /// Names and types of the features, in the order of their values.
    fn features(&self, text: &str, told: &str, partial: bool) -> Result<Arc<[Feature]>, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && *known.told == *told
        {
            return Ok(known.features.clone());
        }
        let features: Arc<[Feature]> = read_features(told)?.into();
        let template = Template::of(text, partial).map_err(|error| not_metadata(&error))?;
        *last = Some(Arc::new(Known { told: told.into(), features: features.clone(), template }));
        Ok(features)
    }

    /// How the request kept to its service level, for each row; none where it was not asked for.
    fn slo(&self, told: Option<&RawValue>) -> Result<Vec<Slo>, Error> {
        let Some(told) = told.filter(|_| self.extras.slo) else { return Ok(Vec::new()) };
        let slo: OneOrMore<Slo> = serde_json::from_str(told.get()).map_err(|e| not_metadata(&e))?;
        Ok(slo.into_vec())
    }

    /// The extras of each feature; none where neither statuses nor times are asked for.
    fn told_extras<'a>(&self, text: &'a str) -> Result<Vec<FeatureExtras<'a>>, Error> {
        if !self.statuses && !self.extras.effective_time {
            return Ok(Vec::new());
        }
        let wire: Vec<WireExtras<'a>> = serde_json::from_str(text).map_err(|e| not_metadata(&e))?;
        wire.into_iter()
            .enumerate()
            .map(|(at, extras)| {
                let statuses = extras.status.map(OneOrMore::into_vec).unwrap_or_default();
                let effective_time = extras.effective_time.map(|Text(text)| {
                    // It is about the value, not the value: what is finer than its type is cut.
                    micros_cut(&text).ok_or_else(|| {
                        broken(&format!("the effective time of feature {at} is no timestamp"))
                    })
                });
                Ok(FeatureExtras {
                    statuses: statuses.into_iter().map(|Text(status)| status).collect(),
                    effective_time: effective_time.transpose()?,
                })
            })
            .collect()
    }
}

fn read_features(text: &str) -> Result<Vec<Feature>, Error> {
    let wire: Vec<WireFeature<'_>> = serde_json::from_str(text).map_err(|e| not_metadata(&e))?;
    wire.into_iter()
        .enumerate()
        .map(|(at, feature)| match (feature.name, feature.data_type) {
            (Some(name), Some(of)) => Ok(Feature { name, of: (&of).into() }),
            (None, _) => Err(broken(&format!("feature {at} has no name"))),
            (Some(name), None) => Err(broken(&format!("feature `{name}` has no data type"))),
        })
        .collect()
}

/// The values of a row, each of its feature's type.
///
/// # Errors
/// The first that is not, by the feature's name.
fn cells<'a>(
    row: &RawRow<'a>,
    features: &[Feature],
    damaged: bool,
) -> Result<Vec<Cell<'a>>, Error> {
    if row.features.len() != features.len() {
        return Err(other_length(row.features.len(), features.len()));
    }
    let cell = |(raw, Feature { name, of }): (&&'a RawValue, &Feature)| {
        if damaged && raw.get().contains(char::REPLACEMENT_CHARACTER) {
            return Err(broken(&format!("feature `{name}` is not UTF-8")));
        }
        let cell: Cell<'a> = serde_json::from_str(raw.get()).map_err(|error| {
            let why = error.to_string();
            // The place would be one within the value.
            let why = why.split(" at line ").next().unwrap_or_default();
            broken(&format!("feature `{name}` cannot be read: {why}"))
        })?;
        column(name, of, vec![cell.clone()])
            .map_err(|why| broken(&format!("feature `{name}` {why}")))?;
        Ok(cell)
    };
    row.features.iter().zip(features).map(cell).collect()
}

fn other_length(values: usize, features: usize) -> Error {
    let (values, of) = (count(values, "value"), count(features, "feature"));
    broken(&format!("a row has {values} for {of}"))
}

/// Turns rows of cells into columns.
fn columns(mut rows: Vec<Row<'_>>, features: &[Feature]) -> Result<Batch, Error> {
    if let Some(odd) = rows.iter().find(|row| row.features.len() != features.len()) {
        return Err(other_length(odd.features.len(), features.len()));
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

/// For each row, whether the store knows anything for it. Of an unknown entity it answers with
/// nulls only, and where statuses were asked for, says that the data is missing: a null that
/// was computed, or that came too late, is no missing entity.
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

/// Tells the rows that the store knows nothing for from the enriched ones.
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

fn not_metadata(error: &serde_json::Error) -> Error {
    broken(&format!("its metadata is not of the promised form: {error}"))
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the feature store's answer cannot be used: {why}"))
}
