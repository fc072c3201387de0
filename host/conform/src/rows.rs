//! The rows to ask for: the author's rows, generated rows that no store knows, and rows of nulls.

use beamlet::raw::beamlet::enrichment::types::{Batch, Column, Texts, Values};
use beamlet::raw::flat;

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// The author's row at a position.
    Sample(usize),
    /// A generated row, by its number: a text or a large integer that no store knows.
    Generated(u64),
    /// Null in every field.
    Null,
}

/// Far from numbers that are used as keys.
const MADE: i64 = 0x3fff_0000_0000_0000;

/// Rows as the columns that the handler gets, which are those of `samples`.
pub(super) fn batch(samples: &Batch, rows: &[Row]) -> Batch {
    let column = |column: &Column| {
        let null = |row: &Row| match row {
            Row::Sample(at) => column.nulls.binary_search(&(*at as u32)).is_ok(),
            Row::Generated(_) => false,
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
    /// A value for each row: a generated one if the type has any, otherwise a sample's.
    fn each<T: Clone + Default>(
        samples: &[T],
        rows: &[Row],
        make: impl Fn(u64) -> Option<T>,
    ) -> Vec<T> {
        let sample = |at: usize| samples.get(at % samples.len().max(1)).cloned();
        let value = |row: &Row| match row {
            Row::Sample(at) => sample(*at),
            Row::Generated(number) => make(*number).or_else(|| sample(*number as usize)),
            Row::Null => None,
        };
        rows.iter().map(|row| value(row).unwrap_or_default()).collect()
    }
    let made = |number: u64| Some(format!("beamlet-conform-{number}"));
    let own = |texts: &Texts, make: &dyn Fn(u64) -> Option<String>| {
        let samples = flat::texts(texts).unwrap_or_default();
        let samples: Vec<String> = samples.into_iter().map(str::to_owned).collect();
        each(&samples, rows, make).into_iter().collect()
    };
    /// Only samples: these types have no generated values.
    fn flat<T: Clone, L: FromIterator<Vec<T>>>(elements: &[T], ends: &[u32], rows: &[Row]) -> L {
        let samples = flat::pieces(elements, ends).unwrap_or_default();
        let samples: Vec<Vec<T>> = samples.into_iter().map(<[T]>::to_vec).collect();
        each(&samples, rows, |_| None).into_iter().collect()
    }
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
        Values::Bytes(list) => Values::Bytes(flat(&list.bytes, &list.ends, rows)),
        Values::Timestamps(list) => Values::Timestamps(each(list, rows, |_| None)),
        Values::Dates(list) => Values::Dates(each(list, rows, |_| None)),
        Values::Decimals(texts) => Values::Decimals(own(texts, &|_| None)),
        Values::Json(texts) => Values::Json(own(texts, &|_| None)),
        Values::BooleanLists(list) => Values::BooleanLists(flat(&list.elements, &list.ends, rows)),
        Values::Int64Lists(list) => Values::Int64Lists(flat(&list.elements, &list.ends, rows)),
        Values::Float32Lists(list) => Values::Float32Lists(flat(&list.elements, &list.ends, rows)),
        Values::Float64Lists(list) => Values::Float64Lists(flat(&list.elements, &list.ends, rows)),
        Values::StringLists(list) => {
            let texts = flat::texts(&list.elements).unwrap_or_default();
            Values::StringLists(flat(&texts, &list.ends, rows))
        }
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

/// Describes rows in a message.
pub(super) fn describe_rows(rows: &[Row]) -> String {
    let count = |is: fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    let parts = [
        (count(|row| matches!(row, Row::Sample(_))), "of yours"),
        (count(|row| matches!(row, Row::Generated(_))), "that no store knows"),
        (count(|row| *row == Row::Null), "of nulls"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    format!("{} {noun} ({})", rows.len(), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::count;

    #[test]
    fn rows_are_samples_generated_rows_and_nulls_in_the_requested_order() {
        let column = |name: &str, values, nulls: &[u32]| Column {
            name: name.to_owned(),
            values,
            nulls: nulls.to_vec(),
        };
        let samples = Batch {
            rows: 2,
            columns: vec![
                column("a", Values::Strings(["x", "y"].into_iter().collect()), &[]),
                column("b", Values::Int64s(vec![7, 0]), &[1]),
                column("c", Values::Booleans(vec![true, false]), &[]),
            ],
        };
        let rows = batch(&samples, &[Row::Sample(1), Row::Generated(2), Row::Null, Row::Sample(0)]);
        let Values::Strings(a) = &rows.columns[0].values else { panic!("not strings") };
        let a = flat::texts(a).unwrap();
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
