//! Tables that are written read back the same: arbitrary tables, through every pair of formats that
//! can represent them, in batches of uneven sizes.

use std::sync::Arc;

use crate::support;
use crate::support::{batches, bytes, na, read_back, table};
use arrow_array::builder::{Int64Builder, ListBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    Int8Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field as ArrowField, Schema};
use beamlet_formats::Format::{Arrow, Arrows, Csv, Ndjson, Parquet};
use beamlet_formats::{Format, ReadOptions, Rows, ValueType};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// `rows` values of some type, with nulls; `kind` chooses the type.
fn column(kind: usize, rows: usize) -> BoxedStrategy<ArrayRef> {
    fn made<T: std::fmt::Debug + 'static, A: Array + 'static>(
        value: impl Strategy<Value = T> + 'static,
        rows: usize,
        make: fn(Vec<Option<T>>) -> A,
    ) -> BoxedStrategy<ArrayRef> {
        vec(of(value), rows).prop_map(move |values| Arc::new(make(values)) as ArrayRef).boxed()
    }
    match kind {
        0 => made(any::<bool>(), rows, BooleanArray::from),
        1 => made(any::<i8>(), rows, Int8Array::from),
        2 => made(any::<i64>(), rows, Int64Array::from),
        3 => made(any::<u64>(), rows, UInt64Array::from),
        4 => made(any::<f64>(), rows, Float64Array::from),
        5 => made(any::<String>(), rows, StringArray::from),
        6 => made(any::<String>(), rows, LargeStringArray::from),
        7 => {
            made(vec(any::<u8>(), 0..9), rows, |values| values.into_iter().collect::<BinaryArray>())
        }
        8 => made(any::<i32>(), rows, Date32Array::from),
        9 => made(any::<i64>(), rows, |values| {
            TimestampMicrosecondArray::from(values).with_timezone("UTC")
        }),
        10 => made(any::<i64>(), rows, TimestampNanosecondArray::from),
        11 => made(-10_i128.pow(18)..10_i128.pow(18), rows, |values| {
            Decimal128Array::from(values).with_precision_and_scale(18, 4).unwrap()
        }),
        12 => made("[a-d]", rows, |values| {
            let mut builder = StringDictionaryBuilder::<Int32Type>::new();
            values.iter().for_each(|it| builder.append_option(it.as_deref()));
            builder.finish()
        }),
        13 => made(vec(of(any::<i64>()), 0..4), rows, |values| {
            let mut builder = ListBuilder::new(Int64Builder::new());
            values.into_iter().for_each(|it| builder.append_option(it));
            builder.finish()
        }),
        _ => made((of(any::<i64>()), of(any::<String>())), rows, |values| {
            let fields = [("x", DataType::Int64), ("y", DataType::Utf8)];
            let fields = fields.map(|(name, it)| ArrowField::new(name, it, true)).to_vec();
            let (xs, ys): (Vec<_>, Vec<_>) =
                values.iter().map(|it| it.clone().unwrap_or_default()).unzip();
            let columns: Vec<ArrayRef> =
                vec![Arc::new(Int64Array::from(xs)), Arc::new(StringArray::from(ys))];
            let nulls = values.iter().map(Option::is_some).collect::<Vec<_>>();
            StructArray::try_new(fields.into(), columns, Some(nulls.into())).unwrap()
        }),
    }
}

fn any_table() -> impl Strategy<Value = RecordBatch> {
    (1..20usize, vec(0..15usize, 1..6)).prop_flat_map(|(rows, kinds)| {
        let columns: Vec<_> = kinds.into_iter().map(|kind| column(kind, rows)).collect();
        columns.prop_map(|arrays| {
            let fields = arrays.iter().enumerate().map(|(position, array)| {
                ArrowField::new(format!("c{position}"), array.data_type().clone(), true)
            });
            RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), arrays).unwrap()
        })
    })
}

/// Rows that every format can hold, with a type for each column.
fn plain_table() -> impl Strategy<Value = RecordBatch> {
    (1..20usize).prop_flat_map(|rows| {
        let text = vec(of("[a-zü\",\n]{1,6}"), rows)
            .prop_map(|values| Arc::new(StringArray::from(values)) as ArrayRef);
        let finite = vec(of(any::<f64>().prop_filter("finite", |it| it.is_finite())), rows)
            .prop_map(|values| Arc::new(Float64Array::from(values)) as ArrayRef);
        let instants = vec(of(-62_135_596_800_000_000..253_402_300_799_999_999_i64), rows)
            .prop_map(|values| {
                Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC")) as ArrayRef
            });
        let days = vec(of(-719_162..2_932_896_i32), rows)
            .prop_map(|values| Arc::new(Date32Array::from(values)) as ArrayRef);
        (column(0, rows), column(2, rows), finite, text, instants, days).prop_map(
            |(b, i, f, s, t, d)| {
                let columns = [("b", b), ("i", i), ("f", f), ("s", s), ("t", t), ("d", d)];
                support::columns(columns)
            },
        )
    })
}

fn types() -> ReadOptions {
    na(&[
        ("b", ValueType::Boolean),
        ("i", ValueType::Int64),
        ("f", ValueType::Float64),
        ("s", ValueType::String),
        ("t", ValueType::Timestamp),
        ("d", ValueType::Date),
    ])
}

fn options(format: Format) -> ReadOptions {
    if matches!(format, Ndjson | Csv) { types() } else { na(&[]) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_survive_a_round_trip(batch in any_table(), sizes in (1..21usize, 1..21usize)) {
        for through in [Parquet, Arrow, Arrows] {
            let stored = bytes(through, &table(&batch, sizes.0)).unwrap();
            prop_assert_eq!(&read_back(through, stored.clone()), &batch);
            for to in [Parquet, Arrows] {
                let rows = batches(through, stored.clone(), ReadOptions::default(), sizes.1).unwrap();
                prop_assert_eq!(&read_back(to, bytes(to, &rows).unwrap()), &batch);
            }
        }
    }

    #[test]
    fn scalar_rows_survive_every_pair_of_formats(
        batch in plain_table(),
        sizes in (1..21usize, 1..21usize),
    ) {
        for through in [Ndjson, Csv, Parquet, Arrow, Arrows] {
            let stored = bytes(through, &table(&batch, sizes.0)).unwrap();
            let rows = batches(through, stored, options(through), sizes.1).unwrap();
            for to in [Ndjson, Csv, Parquet, Arrow, Arrows] {
                let again = bytes(to, &rows).unwrap();
                let again = batches(to, again, options(to), 100).unwrap();
                let back = read_back(Arrows, bytes(Arrows, &again).unwrap());
                prop_assert_eq!(back.columns(), batch.columns(), "{} {}", through, to);
            }
        }
    }

    #[test]
    fn a_selection_is_the_rows_at_its_positions(batch in any_table(), keep in vec(any::<bool>(), 20)) {
        let keep: Vec<_> = (0..batch.num_rows()).filter(|row| keep[*row]).collect();
        let some = table(&batch, 100)[0].select(&keep);
        let rows: Vec<_> = keep.iter().map(|row| batch.slice(*row, 1)).collect();
        let expected = arrow_select::concat::concat_batches(&batch.schema(), &rows).unwrap();
        prop_assert_eq!(read_back(Arrows, bytes(Arrows, std::slice::from_ref(&some)).unwrap()), expected);
        let numbers: Vec<_> = (0..some.len()).map(|row| some.origin(row).line as usize - 1).collect();
        prop_assert_eq!(numbers, keep);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        text in vec(any::<u8>(), 0..200),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        batch in any_table(),
    ) {
        for format in [Parquet, Arrow, Arrows] {
            let _ = batches(format, text.clone(), ReadOptions::default(), 7);
            let mut stored = bytes(format, &table(&batch, 7)).unwrap();
            for (at, value) in &flips {
                let at = at.index(stored.len());
                stored[at] ^= value;
            }
            let read = |rows: Vec<Rows>| bytes(Ndjson, &rows);
            let _ = batches(format, stored, ReadOptions::default(), 7).map(read);
        }
    }
}
