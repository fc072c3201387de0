//! Columns in addition to the features, where they are asked for: statuses, effective times, and how the
//! request kept to its service level.

use super::metadata::{broken, not_metadata};
use crate::config::MetadataOptions;
use crate::service::Service;
use beamlet_guest::columns::{ColumnValue, Timestamp};
use beamlet_guest::contract::time::micros_cut;
use beamlet_guest::{Column, Error, Field};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Which additional columns are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    pub(crate) status: bool,
    pub(crate) effective_time: bool,
    pub(crate) slo: bool,
}

impl From<&MetadataOptions> for Extras {
    fn from(options: &MetadataOptions) -> Self {
        Extras {
            status: options.include_serving_status,
            effective_time: options.include_effective_times,
            slo: options.include_slo_info,
        }
    }
}

/// How the request for one row kept to the service level.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Slo {
    slo_eligible: Option<bool>,
    slo_ineligibility_reasons: Vec<String>,
    server_time_seconds: Option<f64>,
    slo_server_time_seconds: Option<f64>,
    store_max_latency: Option<f64>,
    store_response_size_bytes: Option<i64>,
}

/// What one feature has of extras, for all rows of an answer.
#[derive(Debug, Default)]
pub(crate) struct FeatureExtras<'a> {
    /// One for each row, or none.
    pub(crate) statuses: Vec<Cow<'a, str>>,
    /// Microseconds since the epoch; for a batch one for all rows.
    pub(crate) effective_time: Option<i64>,
}

const SLO_FIELDS: [(&str, &str); 6] = [
    ("slo.eligible", "boolean"),
    ("slo.ineligibility_reasons", "array<string>"),
    ("slo.server_time_seconds", "float64"),
    ("slo.slo_server_time_seconds", "float64"),
    ("slo.store_max_latency", "float64"),
    ("slo.store_response_size_bytes", "int64"),
];

impl Extras {
    pub(crate) fn any(self) -> bool {
        self.status || self.effective_time || self.slo
    }

    /// The fields that come out for a feature service: its features, and then the extras.
    pub(crate) fn outputs(self, service: &Service) -> Vec<Field> {
        let field = |name: String, of: &str| Field { name, type_: of.to_owned() };
        let features = service.features.iter();
        let mut fields: Vec<Field> =
            features.map(|feature| field(feature.name.clone(), &feature.of.to_string())).collect();
        for feature in &service.features {
            let feature = &feature.name;
            if self.status {
                fields.push(field(format!("{feature}.status"), "string"));
            }
            if self.effective_time {
                fields.push(field(format!("{feature}.effective_time"), "timestamp"));
            }
        }
        if self.slo {
            fields.extend(SLO_FIELDS.map(|(name, of)| field(name.to_owned(), of)));
        }
        fields
    }

    /// The extras of each feature, from the metadata of the features; none where `statuses` are not
    /// needed and effective times not asked for.
    pub(crate) fn of_features(
        self,
        metadata: &str,
        statuses: bool,
    ) -> Result<Vec<FeatureExtras<'_>>, Error> {
        if !statuses && !self.effective_time {
            return Ok(Vec::new());
        }
        let wire: Vec<WireExtras<'_>> =
            serde_json::from_str(metadata).map_err(|error| not_metadata(&error))?;
        wire.into_iter()
            .enumerate()
            .map(|(at, extras)| {
                let statuses = extras.status.map(OneOrMore::into_vec).unwrap_or_default();
                let effective_time = extras.effective_time.map(|Text(text)| {
                    // Only about the value: digits that are finer than the type are cut off.
                    micros_cut(&text).ok_or_else(|| {
                        broken(&format!("the effective time of feature {at} is not a timestamp"))
                    })
                });
                Ok(FeatureExtras {
                    statuses: statuses.into_iter().map(|Text(status)| status).collect(),
                    effective_time: effective_time.transpose()?,
                })
            })
            .collect()
    }

    /// How the request kept to its service level, for each row; none where it was not asked for.
    pub(crate) fn slo(self, metadata: Option<&RawValue>) -> Result<Vec<Slo>, Error> {
        let Some(text) = metadata.filter(|_| self.slo) else { return Ok(Vec::new()) };
        let slo: OneOrMore<Slo> =
            serde_json::from_str(text.get()).map_err(|error| not_metadata(&error))?;
        Ok(slo.into_vec())
    }

    /// The columns of the extras, in the order of [`outputs`](Self::outputs); null in the rows
    /// that `failed`. For a missing entity they have what the store reports of it.
    pub(crate) fn columns<'n>(
        self,
        features: impl Iterator<Item = (&'n str, FeatureExtras<'n>)>,
        slo: &[Slo],
        failed: &[bool],
    ) -> Vec<Column> {
        let mut columns = Vec::new();
        for (feature, extras) in features {
            if self.status {
                let status = |row: usize| extras.statuses.get(row).map(Cow::as_ref);
                columns.push(column(format!("{feature}.status"), failed, status));
            }
            if self.effective_time {
                let name = format!("{feature}.effective_time");
                columns.push(column(name, failed, |_| extras.effective_time.map(Timestamp)));
            }
        }
        if self.slo {
            columns.extend(slo_columns(slo, failed));
        }
        columns
    }
}

fn slo_columns(slo: &[Slo], failed: &[bool]) -> [Column; 6] {
    let [eligible, reasons, server, own, latency, size] = SLO_FIELDS.map(|(name, _)| name);
    let of = |row: usize| slo.get(row);
    [
        column(eligible, failed, |row| of(row)?.slo_eligible),
        column(reasons, failed, |row| Some(&*of(row)?.slo_ineligibility_reasons)),
        column(server, failed, |row| of(row)?.server_time_seconds),
        column(own, failed, |row| of(row)?.slo_server_time_seconds),
        column(latency, failed, |row| of(row)?.store_max_latency),
        column(size, failed, |row| of(row)?.store_response_size_bytes),
    ]
}

/// A column with the value of each row, null in the rows that failed.
fn column<T: ColumnValue>(
    name: impl Into<String>,
    failed: &[bool],
    of: impl Fn(usize) -> Option<T>,
) -> Column {
    Column::of(name, (0..).zip(failed).map(|(row, failed)| of(row).filter(|_| !*failed)))
}

/// The metadata of a feature that changes from answer to answer.
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
