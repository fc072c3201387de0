//! A feature and an own field with the same name, for each policy and each pair of formats.

use std::sync::Arc;

use crate::support::{bytes_with, columns, read_back, rows, table as rows_of, written_with};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use beamlet_formats::Format::{Arrow, Arrows, Csv, Ndjson, Parquet};
use beamlet_formats::{Format, OnConflict, Rows, RowsError, WriteOptions};
use insta::assert_snapshot;

fn features(values: [Option<i64>; 2]) -> Option<RecordBatch> {
    let array = |offset| {
        Arc::new(values.iter().map(|it| it.map(|it| it + offset)).collect::<Int64Array>())
            as ArrayRef
    };
    Some(columns([("score", array(0)), ("new", array(10))]))
}

fn suffix(text: &str) -> OnConflict {
    OnConflict::Suffix(text.to_owned())
}

fn joined(
    to: Format,
    on_conflict: OnConflict,
    batches: &[(Rows, Option<RecordBatch>)],
) -> Result<String, RowsError> {
    let options = WriteOptions { null: "NA".to_owned(), on_conflict, ..WriteOptions::default() };
    written_with(to, options, batches)
}

fn documents() -> Rows {
    rows(Ndjson, "{\"score\": \"own\" , \"id\":1}\n{\"id\":2}\n")
}

fn table() -> Rows {
    rows(Csv, "score,id\nown,1\nNA,2\n")
}

const VALUES: [Option<i64>; 2] = [None, Some(5)];

#[test]
fn left_keeps_the_own_value() {
    let join = |to, rows| joined(to, OnConflict::Left, &[(rows, features(VALUES))]).unwrap();
    assert_snapshot!(join(Ndjson, documents()), @r#"
    {"score": "own" , "id":1,"new":null}
    {"id":2,"score":5,"new":15}
    "#);
    assert_snapshot!(join(Csv, documents()), @r"
    score,id,new
    own,1,NA
    5,2,15
    ");
    assert_snapshot!(join(Ndjson, table()), @r#"
    {"score":"own","id":1,"new":null}
    {"score":null,"id":2,"new":15}
    "#);
    assert_snapshot!(join(Csv, table()), @r"
    score,id,new
    own,1,NA
    NA,2,15
    ");
}

#[test]
fn right_replaces_the_own_value_even_with_null() {
    let join = |to, rows| joined(to, OnConflict::Right, &[(rows, features(VALUES))]).unwrap();
    assert_snapshot!(join(Ndjson, documents()), @r#"
    {"score": null , "id":1,"new":null}
    {"id":2,"score":5,"new":15}
    "#);
    assert_snapshot!(join(Csv, documents()), @r"
    score,id,new
    NA,1,NA
    5,2,15
    ");
    assert_snapshot!(join(Ndjson, table()), @r#"
    {"score":null,"id":1,"new":null}
    {"score":5,"id":2,"new":15}
    "#);
    assert_snapshot!(join(Csv, table()), @r"
    score,id,new
    NA,1,NA
    5,2,15
    ");
}

#[test]
fn a_row_without_features_keeps_its_own_value_under_right_too() {
    let batches = |rows: fn() -> Rows| [(rows(), features(VALUES)), (rows(), None)];
    assert_snapshot!(joined(Ndjson, OnConflict::Right, &batches(documents)).unwrap(), @r#"
    {"score": null , "id":1,"new":null}
    {"id":2,"score":5,"new":15}
    {"score": "own" , "id":1}
    {"id":2}
    "#);
    assert_snapshot!(joined(Csv, OnConflict::Right, &batches(documents)).unwrap(), @r"
    score,id,new
    NA,1,NA
    5,2,15
    own,1,NA
    NA,2,NA
    ");
    assert_snapshot!(joined(Csv, OnConflict::Right, &batches(table)).unwrap(), @r"
    score,id,new
    NA,1,NA
    5,2,15
    own,1,NA
    NA,2,NA
    ");
}

#[test]
fn under_right_a_duplicate_key_is_written_once() {
    let text = concat!(
        "{\"score\":1 , \"id\":1, \"sc\\u006fre\" : {\"score\":[2]} }\n",
        "{\"score\":1,\"score\":2,\"score\":3}\n",
    );
    assert_snapshot!(joined(Ndjson, OnConflict::Right, &[(rows(Ndjson, text), features(VALUES))]).unwrap(), @r#"
    {"score":null , "id":1,"new":null}
    {"score":5,"new":15}
    "#);
}

#[test]
fn an_error_names_the_place_and_the_field() {
    let fail = |to, rows| {
        joined(to, OnConflict::Error, &[(rows, features(VALUES))]).unwrap_err().to_string()
    };
    assert_snapshot!(fail(Ndjson, documents()), @r#"rows.ndjson:1: feature "score" has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep"#);
    assert_snapshot!(fail(Ndjson, table()), @r#"rows.csv:1: feature "score" has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep"#);
    assert_eq!(fail(Csv, documents()), fail(Ndjson, documents()));
    assert_eq!(fail(Csv, table()), fail(Ndjson, table()));

    let late = rows(Ndjson, "{\"id\":1}\n{\"id\":2,\"score\":null}\n");
    assert_snapshot!(fail(Ndjson, late.clone()), @r#"rows.ndjson:2: feature "score" has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep"#);
    assert_snapshot!(fail(Csv, late), @r#"rows.ndjson:2: feature "score" has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep"#);
}

#[test]
fn without_a_conflict_each_policy_writes_the_same() {
    for policy in [OnConflict::Right, OnConflict::Error, suffix("_f")] {
        for (to, rows) in [(Ndjson, rows(Ndjson, "{\"a\":1}\n{ }")), (Csv, rows(Csv, "a\n1\n2\n"))]
        {
            let batches = [(rows, features(VALUES))];
            let left = joined(to, OnConflict::Left, &batches).unwrap();
            assert_eq!(joined(to, policy.clone(), &batches).unwrap(), left);
        }
    }
}

#[test]
fn a_suffix_keeps_both() {
    let join = |to, rows| joined(to, suffix("_f"), &[(rows, features(VALUES))]).unwrap();
    assert_snapshot!(join(Ndjson, documents()), @r#"
    {"score": "own" , "id":1,"score_f":null,"new":null}
    {"id":2,"score":5,"new":15}
    "#);
    assert_snapshot!(join(Csv, documents()), @r"
    score,id,score_f,new
    own,1,NA,NA
    NA,2,5,15
    ");
    assert_snapshot!(join(Ndjson, table()), @r#"
    {"score":"own","id":1,"score_f":null,"new":null}
    {"score":null,"id":2,"score_f":5,"new":15}
    "#);
    assert_snapshot!(join(Csv, table()), @r"
    score,id,score_f,new
    own,1,NA,NA
    NA,2,5,15
    ");
}

#[test]
fn a_suffix_that_gives_a_taken_name_is_an_error() {
    let both = "{\"score\":1,\"score_f\":2}\n{}\n";
    let fail = |to, rows, text| {
        joined(to, suffix(text), &[(rows, features(VALUES))]).unwrap_err().to_string()
    };
    assert_snapshot!(fail(Ndjson, rows(Ndjson, both), "_f"), @r#"rows.ndjson:1: feature "score" would become "score_f", and that name is taken too; choose another --suffix"#);
    assert_eq!(fail(Csv, rows(Ndjson, both), "_f"), fail(Ndjson, rows(Ndjson, both), "_f"));
    let table = || rows(Csv, "score,score_f\n1,2\n3,4\n");
    assert_snapshot!(fail(Csv, table(), "_f"), @r#"rows.csv:1: feature "score" would become "score_f", and that name is taken too; choose another --suffix"#);
    assert_eq!(fail(Ndjson, table(), "_f"), fail(Csv, table(), "_f"));
    // No suffix at all.
    assert_snapshot!(fail(Ndjson, documents(), ""), @r#"rows.ndjson:1: feature "score" would become "score", and that name is taken too; choose another --suffix"#);

    // The name of another feature.
    let array = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let two = columns([("score", array()), ("score_f", array())]);
    let own = rows(Ndjson, "{\"score\":1}");
    assert!(joined(Ndjson, suffix("_f"), &[(own, Some(two.clone()))]).is_err());
    let own = rows(Csv, "score\n1\n");
    assert!(joined(Csv, suffix("_f"), &[(own, Some(two))]).is_err());
}

#[test]
fn a_field_with_a_feature_s_name_in_a_later_row_cannot_be_added_to_a_csv() {
    let one = |text, value| {
        (
            rows(Ndjson, text),
            Some(columns([("score", Arc::new(Int64Array::from(vec![value])) as ArrayRef)])),
        )
    };
    let batches = [one("{\"id\":1}", 1), one("{\"id\":2,\"score\":3}", 2)];
    assert_snapshot!(joined(Csv, suffix("_f"), &batches).unwrap_err(), @r#"rows.ndjson:1: field "score" is not in the header, which comes from the first rows; CSV cannot add a column later, write NDJSON instead"#);
    assert_snapshot!(joined(Csv, OnConflict::Right, &batches).unwrap(), @r"
    id,score
    1,1
    2,2
    ");
}

/// Rows of an Arrow table with the values of `table`.
fn arrow_table() -> Rows {
    let batch = columns([
        ("score", Arc::new(StringArray::from(vec![Some("own"), None])) as ArrayRef),
        ("id", Arc::new(Int64Array::from(vec![1, 2]))),
    ]);
    rows_of(&batch, 100).remove(0)
}

/// What NDJSON has of the Parquet and Arrow files that are written, which are one.
fn stored(
    on_conflict: OnConflict,
    batches: &[(Rows, Option<RecordBatch>)],
) -> Result<String, RowsError> {
    let mut texts = Vec::new();
    for to in [Parquet, Arrow, Arrows] {
        let options = WriteOptions { on_conflict: on_conflict.clone(), ..WriteOptions::default() };
        let batch = read_back(to, bytes_with(to, options, batches)?);
        let rows = rows_of(&batch, 100).into_iter().map(|rows| (rows, None)).collect::<Vec<_>>();
        texts.push(joined(Ndjson, OnConflict::Left, &rows)?);
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
    Ok(texts.remove(0))
}

#[test]
fn an_arrow_table_is_joined_like_a_csv_table() {
    for policy in [OnConflict::Left, OnConflict::Right, suffix("_f")] {
        for to in [Ndjson, Csv] {
            let arrow = joined(to, policy.clone(), &[(arrow_table(), features(VALUES))]).unwrap();
            let csv = joined(to, policy.clone(), &[(table(), features(VALUES))]).unwrap();
            assert_eq!(arrow, csv, "{policy:?}");
        }
        let ndjson = joined(Ndjson, policy.clone(), &[(table(), features(VALUES))]).unwrap();
        for rows in [table(), arrow_table()] {
            assert_eq!(stored(policy.clone(), &[(rows, features(VALUES))]).unwrap(), ndjson);
        }
    }
    let error = joined(Csv, OnConflict::Error, &[(arrow_table(), features(VALUES))]).unwrap_err();
    assert_snapshot!(error, @r#"rows.arrows:row 1: feature "score" has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep"#);
    for rows in [table(), documents(), arrow_table()] {
        let error = stored(OnConflict::Error, &[(rows, features(VALUES))]).unwrap_err();
        assert!(error.to_string().contains("feature \"score\" has the same name as a field"));
    }
    let late = rows(Ndjson, "{\"id\":1}\n{\"id\":2,\"score\":null}\n");
    let error = stored(OnConflict::Error, &[(late, features(VALUES))]).unwrap_err();
    assert!(error.to_string().starts_with("rows.ndjson:2:"));
}

#[test]
fn documents_written_as_a_table_are_joined_by_its_columns() {
    let own = || rows(Ndjson, "{\"score\": 7 , \"id\":1}\n{\"id\":2}\n");
    let join = |policy| stored(policy, &[(own(), features(VALUES))]).unwrap();
    assert_snapshot!(join(OnConflict::Left), @r#"
    {"score":7,"id":1,"new":null}
    {"score":5,"id":2,"new":15}
    "#);
    assert_snapshot!(join(OnConflict::Right), @r#"
    {"score":null,"id":1,"new":null}
    {"score":5,"id":2,"new":15}
    "#);
    assert_snapshot!(join(suffix("_f")), @r#"
    {"score":7,"id":1,"score_f":null,"new":null}
    {"score":null,"id":2,"score_f":5,"new":15}
    "#);
    // A feature stands in for an own value that is not there; it has to have its type.
    let error = stored(OnConflict::Left, &[(documents(), features(VALUES))]).unwrap_err();
    assert_snapshot!(error, @r#"rows.ndjson:1: feature "score" came as int64 and is string in the output: the types are not related"#);
}

#[test]
fn a_table_row_without_features_keeps_an_own_value_of_the_same_type() {
    let same = [(arrow_table(), features(VALUES)), (arrow_table(), None)];
    assert_snapshot!(stored(OnConflict::Right, &same).unwrap(), @r#"
    {"score":null,"id":1,"new":null}
    {"score":5,"id":2,"new":15}
    {"score":null,"id":1,"new":null}
    {"score":null,"id":2,"new":null}
    "#);
    let text = columns([("score", Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef)]);
    let same = [(arrow_table(), Some(text)), (arrow_table(), None)];
    assert_snapshot!(stored(OnConflict::Right, &same).unwrap(), @r#"
    {"score":"a","id":1}
    {"score":"b","id":2}
    {"score":"own","id":1}
    {"score":null,"id":2}
    "#);
}
