use super::{assemble, from_arrow, to_arrow};
use crate::bindings::beamlet::enrichment::types::{Batch, Column, Int64Lists, Texts, Values};
use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow_cast::display::array_value_to_string;
use std::sync::Arc;

fn column(name: &str, values: Values, nulls: &[u32]) -> Column {
    Column { name: name.to_owned(), values, nulls: nulls.to_vec() }
}

fn texts(texts: &[&str]) -> Texts {
    let mut end = 0;
    let ends = texts.iter().map(|text| {
        end += text.len() as u32;
        end
    });
    Texts { ends: ends.collect(), text: texts.concat() }
}

fn batch(rows: u32, columns: Vec<Column>) -> Batch {
    Batch { rows, columns }
}

#[test]
fn values_and_nulls_come_through_in_both_directions() {
    let there = vec![
        column("text", Values::Strings(texts(&["a", "", "ü"])), &[1]),
        column("whole", Values::Int64s(vec![i64::MIN, 0, i64::MAX]), &[]),
        column("float", Values::Float64s(vec![0.1, f64::INFINITY, 0.0]), &[2]),
        column("flag", Values::Booleans(vec![true, false, true]), &[0]),
        column("json", Values::Json(texts(&["[1]", "null", "{}"])), &[]),
        column("time", Values::Timestamps(vec![-1, 0, 1]), &[]),
    ];
    let arrow = to_arrow(batch(3, there.clone())).unwrap();
    let back = from_arrow(&arrow).unwrap();
    for (there, back) in there.iter().zip(&back.columns) {
        assert_eq!((&there.name, &there.nulls), (&back.name, &back.nulls));
        assert_eq!(
            std::mem::discriminant(&there.values),
            std::mem::discriminant(&back.values),
            "{}",
            there.name
        );
    }
    let Values::Int64s(whole) = &back.columns[1].values else { panic!("not int64") };
    assert_eq!(whole, &[i64::MIN, 0, i64::MAX]);
}

#[test]
fn an_unsigned_column_is_widened_and_the_widest_is_refused() {
    let narrow: ArrayRef = Arc::new(UInt32Array::from(vec![u32::MAX]));
    let batch = RecordBatch::try_from_iter([("n", narrow)]).unwrap();
    let Values::Int64s(values) = &from_arrow(&batch).unwrap().columns[0].values else {
        panic!("not int64")
    };
    assert_eq!(values, &[i64::from(u32::MAX)]);
    let wide: ArrayRef = Arc::new(UInt64Array::from(vec![1]));
    let error = from_arrow(&RecordBatch::try_from_iter([("n", wide)]).unwrap()).err().unwrap();
    assert!(error.to_string().starts_with("field `n` is of type UInt64"), "{error}");
}

#[test]
fn lists_keep_their_elements_and_null_lists_are_null() {
    let lists = Values::StringLists(vec![vec!["a", "b"], vec![], vec![]].into_iter().collect());
    let arrow = to_arrow(batch(3, vec![column("tags", lists, &[2])])).unwrap();
    let tags = arrow.column(0).as_list::<i32>();
    assert_eq!((tags.value(0).len(), tags.value(1).len(), tags.is_null(2)), (2, 0, true));
}

#[test]
fn a_column_that_breaks_a_promise_is_told() {
    let error = |column| to_arrow(batch(2, vec![column])).unwrap_err();
    let one = Values::Int64s(vec![1]);
    let two = Values::Int64s(vec![1, 2]);
    assert_eq!(error(column("x", one.clone(), &[])), "field `x` holds 1 values for 2 rows");
    assert_eq!(error(column("x", one, &[1])), "field `x` holds 1 values for 2 rows");
    let nulls = "the nulls of field `x` do not ascend within 2 rows";
    assert_eq!(error(column("x", two.clone(), &[2])), nulls);
    assert_eq!(error(column("x", two.clone(), &[1, 0])), nulls);
    let twice = vec![column("x", two.clone(), &[]), column("x", two, &[])];
    assert_eq!(to_arrow(batch(2, twice)).unwrap_err(), "field `x` comes twice");
}

#[test]
fn nulls_of_a_sliced_array_are_counted_from_the_slice() {
    let array: ArrayRef = Arc::new(StringArray::from(vec![None, Some("b"), None, Some("d")]));
    let batch = RecordBatch::try_from_iter([("s", array)]).unwrap().slice(1, 3);
    assert_eq!(from_arrow(&batch).unwrap().columns[0].nulls, [1]);
}

#[test]
fn texts_whose_ends_are_wrong_are_told() {
    let error = |text: &str, ends: &[u32]| {
        let texts = Texts { text: text.to_owned(), ends: ends.to_vec() };
        to_arrow(batch(2, vec![column("x", Values::Strings(texts), &[])])).unwrap_err()
    };
    let wrong = "field `x`: the ends of its texts do not ascend to their length";
    for (text, ends) in [("abc", [2, 1]), ("abc", [1, 2]), ("abc", [1, 4])] {
        assert_eq!(error(text, &ends), wrong, "{text:?} {ends:?}");
    }
    let within = "field `x`: the ends of its texts are not at characters' boundaries";
    assert_eq!(error("ü", &[1, 2]), within);
    assert_eq!(error("", &[]), "field `x` holds 0 values for 2 rows");
}

#[test]
fn lists_whose_ends_are_wrong_are_told() {
    let error = |ends: &[u32]| {
        let lists = Int64Lists { elements: vec![1, 2, 3], ends: ends.to_vec() };
        to_arrow(batch(2, vec![column("x", Values::Int64Lists(lists), &[])])).unwrap_err()
    };
    for ends in [[2, 1], [1, 2], [1, 4]] {
        let wrong = "field `x`: the ends of its lists do not ascend to their length";
        assert_eq!(error(&ends), wrong, "{ends:?}");
    }
    assert_eq!(error(&[3]), "field `x` holds 1 values for 2 rows");
}

#[test]
fn bytes_of_a_sliced_array_are_those_of_the_slice() {
    let array: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"ab", b"", b"c"]));
    let rows = RecordBatch::try_from_iter([("b", array)]).unwrap().slice(1, 2);
    let crossed = from_arrow(&rows).unwrap();
    let Values::Bytes(blobs) = &crossed.columns[0].values else { panic!("not bytes") };
    assert_eq!((blobs.bytes.as_slice(), blobs.ends.as_slice()), (&b"c"[..], &[0, 1][..]));
    assert_eq!(to_arrow(crossed).unwrap().column(0).as_binary::<i32>().value(1), b"c");
}

#[test]
fn texts_of_a_sliced_array_are_those_of_the_slice() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["aa", "b", "cc"]));
    let batch = RecordBatch::try_from_iter([("s", array)]).unwrap().slice(1, 2);
    let Values::Strings(texts) = &from_arrow(&batch).unwrap().columns[0].values else {
        panic!("not strings")
    };
    assert_eq!((texts.text.as_str(), texts.ends.as_slice()), ("bcc", [1, 3].as_slice()));
}

/// Parts one behind the other.
fn in_order(parts: &[RecordBatch]) -> Result<RecordBatch, String> {
    let rows = |(at, part): (u32, &RecordBatch)| {
        (0..part.num_rows() as u32).map(move |row| Some((at, row)))
    };
    let places: Vec<_> = (0..).zip(parts).flat_map(rows).collect();
    assemble(parts, &places)
}

#[test]
fn lists_of_which_some_have_null_elements_are_lists_for_all_rows_in_any_order() {
    let cases = [
        (Values::Int64Lists(vec![vec![1, 2]].into_iter().collect()), "[3,null]", "[[1, 2], [3, ]]"),
        (Values::BooleanLists(vec![vec![true]].into_iter().collect()), "[null]", "[[true], []]"),
        (
            Values::Float32Lists(vec![vec![0.5]].into_iter().collect()),
            "[null,\"NaN\"]",
            "[[0.5], [, NaN]]",
        ),
        (
            Values::Float64Lists([vec![]].into_iter().collect()),
            "[\"-Infinity\",null,1]",
            "[[], [-inf, , 1.0]]",
        ),
        (
            Values::StringLists(vec![vec!["a"]].into_iter().collect()),
            "[null,\"b\"]",
            "[[a], [, b]]",
        ),
    ];
    for (list, json, shown) in cases {
        let list = to_arrow(batch(1, vec![column("x", list, &[])])).unwrap();
        let json = Values::Json(texts(&[json]));
        let json = to_arrow(batch(1, vec![column("x", json, &[])])).unwrap();
        let none = to_arrow(batch(1, vec![])).unwrap();
        let joined = in_order(&[list.clone(), json.clone(), none]).unwrap();
        assert_eq!(joined.schema().field(0), list.schema().field(0));
        assert_eq!(joined.column(0).null_count(), 1);
        let rows = |batch: &RecordBatch, rows: &[usize]| {
            let row = |at: &usize| array_value_to_string(batch.column(0), *at).unwrap();
            format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(", "))
        };
        assert_eq!(rows(&joined, &[0, 1]), shown);
        assert_eq!(rows(&in_order(&[json, list]).unwrap(), &[1, 0]), shown);
    }
}

#[test]
fn a_column_that_changes_its_type_is_told() {
    let of = |values| to_arrow(batch(1, vec![column("x", values, &[])])).unwrap();
    let (list, map) = (
        of(Values::Int64Lists(vec![vec![]].into_iter().collect())),
        of(Values::Json(texts(&["{}"]))),
    );
    let error = in_order(&[list.clone(), map]).unwrap_err();
    assert!(error.starts_with("field `x` came as array<int64>, then as json"), "{error}");
    let error = in_order(&[list, of(Values::Int64s(vec![1]))]).unwrap_err();
    assert!(error.ends_with("then as int64"), "{error}");
}
