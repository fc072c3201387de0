//! Rows to ask for: those that the handler's author gave, unknown ones that are made, and nulls.

use crate::bindings::beamlet::enrichment::types::{Batch, Column, Texts, Values};

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// The row at a position of the author's own.
    Sample(usize),
    /// One that is made, by its number: a text, or a great integer, that no store knows.
    Made(u64),
    /// Null in every field.
    Null,
}

/// Far from where people number things.
const MADE: i64 = 0x3fff_0000_0000_0000;

/// Rows as the handler is shown them: `samples` has its columns.
pub(super) fn batch(samples: &Batch, rows: &[Row]) -> Batch {
    let column = |column: &Column| {
        let null = |row: &Row| match row {
            Row::Sample(at) => column.nulls.binary_search(&(*at as u32)).is_ok(),
            Row::Made(_) => false,
            Row::Null => true,
        };
        let nulls = (0..).zip(rows).filter(|(_, row)| null(row)).map(|(at, _)| at);
        Column {
            name: column.name.clone(),
            values: values(&column.values, rows),
            nulls: nulls.collect(),
        }
    };
    Batch { rows: rows.len() as u32, columns: samples.columns.iter().map(column).collect() }
}

fn values(samples: &Values, rows: &[Row]) -> Values {
    /// A value of each row; a made one where its type has one, else a sample's.
    fn each<T: Clone + Default>(
        samples: &[T],
        rows: &[Row],
        make: impl Fn(u64) -> Option<T>,
    ) -> Vec<T> {
        let sample = |at: usize| samples.get(at % samples.len().max(1)).cloned();
        let value = |row: &Row| match row {
            Row::Sample(at) => sample(*at),
            Row::Made(number) => make(*number).or_else(|| sample(*number as usize)),
            Row::Null => None,
        };
        rows.iter().map(|row| value(row).unwrap_or_default()).collect()
    }
    let made = |number: u64| Some(format!("beamlet-conform-{number}"));
    let own = |texts: &Texts, make: &dyn Fn(u64) -> Option<String>| {
        let samples: Vec<String> = split(texts).map(str::to_owned).collect();
        joined(each(&samples, rows, make))
    };
    match samples {
        Values::Strings(texts) => Values::Strings(own(texts, &made)),
        Values::Int64s(list) => {
            Values::Int64s(each(list, rows, |number| Some(MADE + number as i64)))
        }
        Values::Booleans(list) => Values::Booleans(each(list, rows, |_| None)),
        Values::Int8s(list) => Values::Int8s(each(list, rows, |_| None)),
        Values::Int16s(list) => Values::Int16s(each(list, rows, |_| None)),
        Values::Int32s(list) => Values::Int32s(each(list, rows, |_| None)),
        Values::Float32s(list) => Values::Float32s(each(list, rows, |_| None)),
        Values::Float64s(list) => Values::Float64s(each(list, rows, |_| None)),
        Values::Bytes(list) => Values::Bytes(each(list, rows, |_| None)),
        Values::Timestamps(list) => Values::Timestamps(each(list, rows, |_| None)),
        Values::Dates(list) => Values::Dates(each(list, rows, |_| None)),
        Values::Decimals(texts) => Values::Decimals(own(texts, &|_| None)),
        Values::Json(texts) => Values::Json(own(texts, &|_| None)),
        Values::BooleanLists(list) => Values::BooleanLists(each(list, rows, |_| None)),
        Values::Int64Lists(list) => Values::Int64Lists(each(list, rows, |_| None)),
        Values::Float32Lists(list) => Values::Float32Lists(each(list, rows, |_| None)),
        Values::Float64Lists(list) => Values::Float64Lists(each(list, rows, |_| None)),
        Values::StringLists(list) => Values::StringLists(each(list, rows, |_| None)),
    }
}

/// The same values in every column.
pub(super) fn all(names: &[String], values: &Values, nulls: &[u32], rows: u32) -> Batch {
    let column = |name: &String| Column {
        name: name.clone(),
        values: values.clone(),
        nulls: nulls.to_vec(),
    };
    Batch { rows, columns: names.iter().map(column).collect() }
}

/// Texts, one behind the other.
pub(super) fn joined<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Texts {
    let mut all = Texts { text: String::new(), ends: Vec::new() };
    for text in texts {
        all.text.push_str(text.as_ref());
        all.ends.push(all.text.len() as u32);
    }
    all
}

/// Texts that are known to be whole, one by one.
fn split(texts: &Texts) -> impl Iterator<Item = &str> {
    let mut start = 0;
    texts.ends.iter().map(move |end| {
        let text = texts.text.get(start..*end as usize).unwrap_or_default();
        start = *end as usize;
        text
    })
}

/// How many values there are.
pub(super) fn count(values: &Values) -> usize {
    match values {
        Values::Booleans(list) => list.len(),
        Values::Int8s(list) => list.len(),
        Values::Int16s(list) => list.len(),
        Values::Int32s(list) | Values::Dates(list) => list.len(),
        Values::Int64s(list) | Values::Timestamps(list) => list.len(),
        Values::Float32s(list) => list.len(),
        Values::Float64s(list) => list.len(),
        Values::Strings(texts) | Values::Decimals(texts) | Values::Json(texts) => texts.ends.len(),
        Values::Bytes(list) => list.len(),
        Values::BooleanLists(list) => list.len(),
        Values::Int64Lists(list) => list.len(),
        Values::Float32Lists(list) => list.len(),
        Values::Float64Lists(list) => list.len(),
        Values::StringLists(list) => list.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_samples_made_ones_and_nulls_in_the_order_asked_for() {
        let column = |name: &str, values, nulls: &[u32]| Column {
            name: name.to_owned(),
            values,
            nulls: nulls.to_vec(),
        };
        let samples = Batch {
            rows: 2,
            columns: vec![
                column("a", Values::Strings(joined(["x", "y"])), &[]),
                column("b", Values::Int64s(vec![7, 0]), &[1]),
                column("c", Values::Booleans(vec![true, false]), &[]),
            ],
        };
        let rows = batch(&samples, &[Row::Sample(1), Row::Made(2), Row::Null, Row::Sample(0)]);
        let Values::Strings(a) = &rows.columns[0].values else { panic!("not strings") };
        let a: Vec<&str> = split(a).collect();
        assert_eq!((rows.rows, a), (4, vec!["y", "beamlet-conform-2", "", "x"]));
        assert_eq!(rows.columns[0].nulls, [2]);
        let Values::Int64s(b) = &rows.columns[1].values else { panic!("not int64") };
        assert_eq!(
            (b.as_slice(), &rows.columns[1].nulls[..]),
            (&[0, MADE + 2, 0, 7][..], &[0, 2][..])
        );
        let Values::Booleans(c) = &rows.columns[2].values else { panic!("not boolean") };
        assert_eq!(c, &[false, true, false, true]);
        assert!(rows.columns.iter().all(|column| count(&column.values) == 4));
    }
}
