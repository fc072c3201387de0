//! What a row costs in the guest, by how its join keys come about: `entity_id` against
//! expressions in CEL.
//!
//! `row` is the whole share of a row: to an entity, its part of the request for ten, and its
//! part of the answer for ten with eight features. `entity` is the first of them alone.

use beamlet_guest::{Batch, Column, Handler, Response, Texts, Values};
use beamlet_tecton::Tecton;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use std::hint::black_box;

const ROWS: usize = 1000;
const BATCH: usize = 10;

/// What is compared, by name: each reads `tailnum`, as `entity_id` does.
fn rules() -> [(&'static str, Value); 7] {
    let expression = |source: &str| json!({ "entity_row_fn": { "tailnum": source } });
    [
        ("entity_id", json!({ "entity_id": "tailnum" })),
        ("field", expression("row.tailnum")),
        ("upper", expression("row.tailnum.upperAscii()")),
        (
            "two_keys",
            json!({ "entity_row_fn": { "tailnum": "row.tailnum", "flight": "row.flight" } }),
        ),
        ("ternary", expression("has(row.tailnum) ? row.tailnum : 'none'")),
        ("concat", expression("row.tailnum + '-' + string(row.flight)")),
        // Nothing of this has a form of its own: it is the interpreter's.
        ("interpreted", expression("row.tailnum.reverse()")),
    ]
}

fn handler(rule: &Value) -> Tecton {
    let mut config = json!({
        "connection": { "url": "http://h", "api_key": "k" },
        "retrieval": { "feature_service_name": "planes", "workspace_name": "prod" },
    });
    for (key, value) in rule.as_object().into_iter().flatten() {
        config["retrieval"][key] = value.clone();
    }
    Tecton::new(&config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn rows() -> Batch {
    let tailnums: Texts = (0..ROWS).map(|row| format!("n{:05}xy", row * 7 % 99_999)).collect();
    let flights = (0..ROWS as i64).collect();
    let column = |name: &str, values| Column { name: name.to_owned(), values, nulls: Vec::new() };
    let columns = vec![
        column("tailnum", Values::Strings(tailnums)),
        column("flight", Values::Int64s(flights)),
    ];
    Batch { rows: ROWS as u32, columns }
}

/// The features of ten planes.
fn answer() -> Response {
    let features = [
        ("year", "int64", json!("1999")),
        ("type", "string", json!("Fixed wing multi engine")),
        ("manufacturer", "string", json!("AIRBUS INDUSTRIE")),
        ("model", "string", json!("A320-214")),
        ("engines", "int64", json!("2")),
        ("seats", "int64", json!("182")),
        ("speed", "float64", Value::Null),
        ("engine", "string", json!("Turbo-fan")),
    ];
    let metadata: Vec<Value> = features
        .iter()
        .map(
            |(name, of, _)| json!({ "name": format!("planes.{name}"), "dataType": { "type": of } }),
        )
        .collect();
    let row = json!({ "features": features.map(|(_, _, value)| value) });
    let body = json!({ "result": vec![row; BATCH], "metadata": { "features": metadata } });
    Response { status: 200, retry_after: None, location: None, body: body.to_string().into() }
}

fn benches(criterion: &mut Criterion) {
    let (rows, response) = (rows(), answer());
    let mut group = criterion.benchmark_group("row");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, rule) in rules() {
        let handler = handler(&rule);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let entities = handler.entities(black_box(&rows)).unwrap_or_default();
                let entities: Vec<_> = entities.into_iter().filter_map(Result::ok).collect();
                assert_eq!(entities.len(), ROWS);
                for batch in entities.chunks(BATCH) {
                    black_box(handler.request(batch));
                    black_box(handler.answer(batch, &response)).unwrap_or_else(|e| panic!("{e:?}"));
                }
            });
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("entity");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, rule) in rules() {
        let handler = handler(&rule);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(handler.entities(black_box(&rows))).is_ok());
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
