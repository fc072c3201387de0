//! Answers of the Tecton handler: its two readers of one answer against each other, and against
//! `serde_json`.

use beamlet_guest::{Batch, Column, Enriched, Error, Handler, Response, Values};
use beamlet_tecton::Tecton;
use serde::de::IgnoredAny;
use serde_json::json;
use std::cell::RefCell;

/// An answer that every reader of features understands: the reader that knows its features is
/// quicker.
const KNOWN: &str = include_str!("../corpus/tecton_answer/every-type.json");

/// Whatever a store answers, a handler that knows the features of the answer before says what one
/// says that does not; what is no JSON has no features; and an answer has a row for each entity.
pub fn tecton_answer(data: &[u8]) {
    thread_local!(static USED: RefCell<Vec<Tecton>> = RefCell::new(
        [false, true].map(handler).into_iter().collect()
    ));
    let rows = 1 + data.len() as u32 % 3;
    for metadata in [false, true] {
        let fresh = handler(metadata);
        let first = answer(&fresh, rows, data);
        // It knows the features of this very answer, if it has any.
        let again = answer(&fresh, rows, data);
        assert_eq!(format!("{first:?}"), format!("{again:?}"), "the second reading");
        USED.with_borrow(|used| {
            let used = &used[usize::from(metadata)];
            answer(used, 2, KNOWN.as_bytes()).expect("the answer of the corpus");
            let other = answer(used, rows, data);
            assert_eq!(format!("{first:?}"), format!("{other:?}"), "behind another answer");
        });
        match first {
            Ok(enriched) => {
                let is_json = serde_json::from_slice::<IgnoredAny>(data).is_ok();
                assert!(is_json || str::from_utf8(data).is_err(), "it is no JSON");
                sound(&enriched, rows);
            }
            Err(error) => assert!(!error.message.is_empty()),
        }
    }
}

fn handler(metadata: bool) -> Tecton {
    let options = match metadata {
        true => json!({
            "include_serving_status": true, "include_effective_times": true, "include_slo_info": true,
        }),
        false => json!({}),
    };
    let config = json!({
        "connection": { "url": "http://store", "api_key": "k" },
        "retrieval": {
            "feature_service_name": "fs", "workspace_name": "ws", "entity_id": "k",
            "metadata_options": options,
        },
        "batching": { "max_batch_size": 10 },
    });
    Tecton::new(&config).expect("a sound configuration")
}

fn answer(handler: &Tecton, rows: u32, body: &[u8]) -> Result<Enriched, Error> {
    let keys = Values::Int64s((0..rows.into()).collect());
    let column = Column { name: "k".to_owned(), values: keys, nulls: Vec::new() };
    let entities = handler.entities(&Batch { rows, columns: vec![column] })?;
    let entities = entities.into_iter().collect::<Result<Vec<_>, _>>()?;
    let response = Response { status: 200, retry_after: None, location: None, body: body.to_vec() };
    handler.answer(&entities, &response)
}

fn sound(enriched: &Enriched, rows: u32) {
    assert_eq!(enriched.fields.rows, rows);
    for column in &enriched.fields.columns {
        assert_eq!(column.values.len() as u32, rows, "{}", column.name);
        assert!(column.nulls.is_sorted() && column.nulls.iter().all(|at| *at < rows));
    }
    let failed = enriched.failures.iter().map(|failure| &failure.row);
    let mut other: Vec<_> =
        enriched.missing.iter().chain(&enriched.null_keys).chain(failed).collect();
    other.sort();
    assert!(other.windows(2).all(|pair| pair[0] < pair[1]), "each row has one outcome");
}
