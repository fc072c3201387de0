//! What comes beside the features where it is asked for: statuses, effective times, and how
//! the request kept to its service level.

use crate::config::MetadataOptions;
use beamlet_guest::columns::{ColumnValue, Timestamp};
use beamlet_guest::{Column, Field};
use serde::Deserialize;
use std::borrow::Cow;

/// Which extras are asked for.
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

    /// Names and types of the fields, beside features of these names.
    pub(crate) fn fields<'n>(self, features: impl Iterator<Item = &'n str>) -> Vec<Field> {
        let field = |name: String, of: &str| Field { name, type_: of.to_owned() };
        let mut fields = Vec::new();
        for feature in features {
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

    /// The columns of the extras, in the order of [`fields`](Self::fields); null in the rows
    /// that `failed`. Those of an entity that is missing have what the store reports of it.
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
