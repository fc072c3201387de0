//! Breaks answers before they are returned.

use crate::state::{BUNDLES, DROPPED, FAILED, OUT_OF_ORDER};
use beamlet_guest::{Enriched, Values};

/// What happened in a bundle so far.
#[derive(Default)]
pub(crate) struct Seen {
    /// Rows received.
    pub(crate) rows: u32,
    /// Calls of `process`.
    pub(crate) calls: u32,
    /// Whether two consecutive rows had the same key.
    pub(crate) twins: bool,
    /// Whether another bundle of the store was open.
    pub(crate) others: bool,
}

/// Breaks the form of an answer.
pub(crate) fn deform(broken: &str, answer: &mut Enriched) {
    let rows = answer.fields.rows;
    let columns = &mut answer.fields.columns;
    match broken {
        "answers/ascending" => answer.missing.reverse(),
        "answers/in-range" => answer.missing.push(rows),
        "answers/disjoint" => {
            answer.null_keys.extend(answer.missing.first());
            answer.null_keys.sort_unstable();
        }
        "answers/null-fields" => {
            let missing = answer.missing.clone();
            for column in columns.iter_mut() {
                column.nulls.retain(|at| !missing.contains(at));
                if let Values::Json(texts) = &mut column.values {
                    let text = |(at, text)| if missing.contains(&at) { "0" } else { text };
                    *texts = (0..).zip(texts.iter()).map(text).collect();
                }
            }
        }
        "columns/length" => {
            if let Some(Values::Int64s(list)) = columns.first_mut().map(|it| &mut it.values) {
                list.pop();
            }
        }
        "columns/nulls" => columns.iter_mut().take(1).for_each(|it| it.nulls.push(rows)),
        "columns/texts" => {
            if let Some(Values::Strings(texts)) = columns.get_mut(1).map(|it| &mut it.values) {
                texts.text.push('x');
            }
        }
        "columns/unique" => columns.extend(columns.first().cloned()),
        "columns/json" => {
            if let Some(column) = columns.get_mut(2) {
                column.values = Values::Json((0..rows).map(|_| "{").collect());
            }
        }
        "outputs/order" if rows == 1 => columns.reverse(),
        _ => {}
    }
}

/// Whether the values of a bundle are to be falsified.
pub(crate) fn is_wrong(broken: &str, seen: &Seen) -> bool {
    match broken {
        "lifecycle/bundles" => BUNDLES.get() == 3,
        "lifecycle/dropped-bundle" => DROPPED.is_set(),
        "lifecycle/instances" => seen.others,
        "answers/alone" => seen.rows == 1,
        "answers/cuts" => seen.calls > 3,
        "answers/duplicates" => seen.twins,
        "answers/late" => OUT_OF_ORDER.is_set(),
        "store/recovers" => FAILED.is_set() && BUNDLES.get() > 1,
        _ => false,
    }
}

/// Changes the numbers of an answer.
pub(crate) fn falsify(answer: &mut Enriched) {
    if let Some(Values::Int64s(list)) =
        answer.fields.columns.first_mut().map(|column| &mut column.values)
    {
        list.iter_mut().for_each(|number| *number += 1000);
    }
}
