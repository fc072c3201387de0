//! The answer's `metadata`: for each feature its constant part, effective time and status; for the
//! request its SLO figures.

use std::fmt::Write as _;
use std::time::Duration;

use super::answer::Found;
use super::options::MetadataOptions;
use crate::catalog::{Part, Service, View};
use crate::json::quote;
use crate::value::timestamp_text;

/// Whether statuses and SLO figures are single values or lists.
pub(super) enum Shape<'s> {
    /// One entity; the computed features that failed, by position.
    Single { failed: &'s [usize] },
    /// Several.
    Batch,
}

/// The requested metadata, and how the request was served.
pub(super) struct Asked {
    pub(super) options: MetadataOptions,
    /// Whether the statuses of cached views say so.
    pub(super) reads_cache: bool,
    pub(super) elapsed: Duration,
}

/// Appends `,"metadata":{…}`. It has only what is requested: no `features` if none of their members
/// is requested.
pub(super) fn write_metadata(
    service: &Service,
    asked: &Asked,
    found: &Found,
    shape: &Shape<'_>,
    out: &mut String,
) {
    let result_bytes = out.len();
    let options = asked.options;
    out.push_str(r#","metadata":{"#);
    let before = out.len();
    if options.include_effective_times || options.include_serving_status {
        out.push_str(r#""features":["#);
        write_features(service, asked, found, shape, out);
        out.push_str("],");
    } else if options.described().any() {
        out.push_str(r#""features":"#);
        out.push_str(service.feature_texts.array(options.described()));
        out.push(',');
    }
    if options.include_slo_info {
        write_slo_info(asked.elapsed, found.entities, result_bytes, shape, out);
        out.push(',');
    }
    if matches!(shape, Shape::Single { failed } if !failed.is_empty()) {
        out.push_str(r#""partialResults":true,"#);
    }
    if out.len() > before {
        out.pop();
    }
    out.push('}');
}

/// The members of a feature that depend on the entities, with a comma before each.
fn write_features(
    service: &Service,
    asked: &Asked,
    found: &Found,
    shape: &Shape<'_>,
    out: &mut String,
) {
    let stored: Vec<String> = (0..service.views.len())
        .map(|view| stored_members(&service.views[view], view, asked, found, shape))
        .collect();
    let mut constants = service.feature_texts.members(asked.options.described()).iter();
    let mut first = true;
    let mut write = |constant: &str, members: &str| {
        out.push_str(if first { "{" } else { ",{" });
        first = false;
        out.push_str(constant);
        let comma = constant.is_empty() || members.is_empty();
        out.push_str(if comma { "" } else { "," });
        out.push_str(members);
        out.push('}');
    };
    for part in &service.parts {
        match part {
            Part::Stored { view, count, .. } => {
                for constant in constants.by_ref().take(*count) {
                    write(constant, &stored[*view]);
                }
            }
            Part::Computed(number) => {
                let members = computed_members(*number, asked, found, shape);
                if let Some(constant) = constants.next() {
                    write(constant, &members);
                }
            }
        }
    }
}

/// What all features of a view share: the newest effective time among the rows, and the statuses.
fn stored_members(
    view: &View,
    position: usize,
    asked: &Asked,
    found: &Found,
    shape: &Shape<'_>,
) -> String {
    let rows = (0..found.entities).map(|entity| found.row(entity, position));
    let from_cache = view.cached && asked.reads_cache;
    let mut members = Vec::new();
    if asked.options.include_effective_times && !from_cache {
        let times = rows.clone().flatten().map(|row| view.effective_time(row));
        if let Some(newest) = times.flatten().max() {
            let newest = quote(&timestamp_text(&newest));
            members.push(format!(r#""effectiveTime":{newest}"#));
        }
    }
    if asked.options.include_serving_status {
        let statuses = rows.map(|row| match (row, from_cache) {
            _ if found.timed_out => r#""TIME_OUT""#,
            (Some(_), false) => r#""PRESENT""#,
            (None, false) => r#""MISSING_DATA""#,
            (Some(_), true) => r#""CACHED_PRESENT""#,
            (None, true) => r#""CACHED_MISSING_DATA""#,
        });
        members.push(status(statuses, shape));
    }
    members.join(",")
}

/// A computed feature has no effective time; it is present unless it failed.
fn computed_members(number: usize, asked: &Asked, found: &Found, shape: &Shape<'_>) -> String {
    if !asked.options.include_serving_status {
        return String::new();
    }
    let text = match shape {
        Shape::Single { failed } if failed.contains(&number) => r#""UNKNOWN""#,
        _ => r#""PRESENT""#,
    };
    status(std::iter::repeat_n(text, found.entities), shape)
}

fn status<'t>(mut statuses: impl Iterator<Item = &'t str>, shape: &Shape<'_>) -> String {
    match shape {
        Shape::Single { .. } => format!(r#""status":{}"#, statuses.next().unwrap_or("null")),
        Shape::Batch => {
            let statuses: Vec<&str> = statuses.collect();
            format!(r#""status":[{}]"#, statuses.join(","))
        }
    }
}

fn write_slo_info(
    elapsed: Duration,
    entities: usize,
    result_bytes: usize,
    shape: &Shape<'_>,
    out: &mut String,
) {
    let seconds = elapsed.as_secs_f64();
    let times = format!(
        r#""sloEligible":true,"sloServerTimeSeconds":{seconds:.6},"serverTimeSeconds":{seconds:.6},"storeMaxLatency":{seconds:.6}"#
    );
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Single { .. } => {
            write!(out, r#""sloInfo":{{{times},"storeResponseSizeBytes":{result_bytes}}}"#)
        }
        Shape::Batch => {
            let bytes = result_bytes.checked_div(entities).unwrap_or_default();
            let row = format!(r#"{{{times},"storeResponseSizeBytes":{bytes}}}"#);
            let rows = vec![row; entities].join(",");
            write!(
                out,
                r#""sloInfo":[{rows}],"batchSloInfo":{{{times},"storeResponseSizeBytes":{result_bytes}}}"#
            )
        }
    };
}
