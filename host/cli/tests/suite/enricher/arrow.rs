//! Rows may have any Arrow types; features have one schema; outcomes are columns, too.

use super::enricher;
use crate::support::library::tailnums;
use crate::support::store::Store;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int64Array, LargeStringArray, RecordBatch, StringViewArray,
    TimestampNanosecondArray,
};
use beamlet::enrich::{EnrichError, EnrichOptions, JoinError, OnConflict, Outcome};
use std::sync::Arc;

const KEYS: [&str; 2] = ["N10156", "N0"];

fn rows(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let columns = columns.iter().map(|(name, array)| (*name, array.clone(), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

#[tokio::test]
async fn a_key_may_have_any_text_type_and_any_position() {
    let store = Store::start();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let other: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let keys: [ArrayRef; 3] = [
        Arc::new(LargeStringArray::from(KEYS.to_vec())),
        Arc::new(StringViewArray::from(KEYS.to_vec())),
        Arc::new(DictionaryArray::<Int32Type>::from_iter(KEYS)),
    ];
    for key in keys {
        let batch = rows(&[("other", other.clone()), ("tailnum", key)]);
        let answers = enricher.enrich(&batch).await.unwrap();
        assert_eq!(*answers.outcome(0), Outcome::Enriched, "{}", batch.schema());
        assert_eq!(*answers.outcome(1), Outcome::Missing);
    }
}

#[tokio::test]
async fn the_schema_is_known_before_the_first_row_and_never_changes() {
    let store = Store::start();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let schema = enricher.schema().unwrap().clone();
    assert_eq!(schema.fields().len(), 8);
    for keys in [&[][..], &[Some("N0")], &[None], &[Some("N10156"), None]] {
        let answers = enricher.enrich(&tailnums(keys)).await.unwrap();
        let features = answers.features().unwrap();
        assert_eq!((features.schema(), features.num_rows()), (schema.clone(), keys.len()));
    }
}

#[tokio::test]
async fn a_value_that_cannot_cross_exactly_fails_its_row_alone() {
    let store = Store::start();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![None, Some(1_001), None]));
    let answers = enricher.enrich(&rows(&[("tailnum", times)])).await.unwrap();
    let outcomes = answers.outcome_columns();
    let column = |name: &str| outcomes.column_by_name(name).unwrap().clone();
    let texts = |name: &str| {
        let column = column(name);
        column.as_string::<i32>().iter().map(|it| it.map(str::to_owned)).collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(texts("outcome"), [some("null_key"), some("failed"), some("null_key")]);
    assert_eq!(texts("kind"), [None, some("invalid-input"), None]);
    assert_eq!(
        texts("message")[1].as_deref(),
        Some(
            "field `tailnum` (Timestamp(ns)): it has digits below a microsecond; a handler cannot \
             be shown it"
        )
    );
    assert!(!column("retryable").as_boolean().value(1) && column("retryable").is_null(0));
    assert_eq!(answers.features().unwrap().num_rows(), 3);
}

#[tokio::test]
async fn rows_without_a_field_that_each_must_have_are_an_error_that_names_it() {
    let store = Store::start();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let batch = rows(&[("tail", Arc::new(LargeStringArray::from(KEYS.to_vec())) as ArrayRef)]);
    let error = enricher.enrich(&batch).await.err().unwrap();
    assert!(matches!(&error, EnrichError::FieldMissing { field } if field == "tailnum"), "{error}");
}

#[tokio::test]
async fn features_are_joined_to_the_rows_that_were_enriched_and_to_no_others() {
    let store = Store::start();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let own: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let keys: ArrayRef = Arc::new(StringViewArray::from(KEYS.to_vec()));
    let batch = rows(&[("planes.year", own), ("tailnum", keys)]);
    let answers = enricher.enrich(&batch).await.unwrap();
    let year = |joined: &RecordBatch, name: &str| {
        let years = joined.column_by_name(name).unwrap().as_primitive::<Int64Type>();
        years.iter().collect::<Vec<_>>()
    };
    let left = answers.join(&batch, &OnConflict::Left).unwrap();
    assert_eq!((year(&left, "planes.year"), left.num_columns()), (vec![Some(1), Some(2)], 9));
    let suffix = answers.join(&batch, &OnConflict::Suffix("_store".to_owned())).unwrap();
    assert_eq!(year(&suffix, "planes.year_store"), [Some(2004), None]);
    assert!(matches!(answers.join(&batch, &OnConflict::Error), Err(JoinError::Conflict { .. })));
    let fewer = answers.join(&batch.slice(0, 1), &OnConflict::Left);
    assert!(matches!(fewer, Err(JoinError::Rows { rows: 1, answers: 2 })));
}
