//! What a row costs in the component, by how its join keys come about: `entity_id` against
//! expressions in CEL. The same rows and rules as those of `guest/tecton/benches/entity.rs`, which
//! measures them natively.
//!
//! The store is [`canned`]: an answer is there at once, where the outbound HTTP of the sandbox would
//! be, without socket and HTTP client. What is measured is a bundle of a thousand rows, from the
//! host's columns to the host's columns: the handler itself, its hundred requests over `wasi:http`,
//! and what crosses between host and component.

mod canned;

use bindings::beamlet::enrichment::types::{Batch, Column, Texts, Values};
use canned::{Handler, bindings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use std::hint::black_box;

const ROWS: usize = 1000;

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

fn config(rule: &Value) -> String {
    let mut config = json!({
        "connection": { "url": "http://h", "api_key": "k" },
        "retrieval": { "feature_service_name": "planes", "workspace_name": "prod" },
    });
    for (key, value) in rule.as_object().into_iter().flatten() {
        config["retrieval"][key] = value.clone();
    }
    config.to_string()
}

/// The columns of these names.
fn rows(names: &[String]) -> Batch {
    let column = |name: &String| {
        let values = match name.as_str() {
            "flight" => Values::Int64s((0..ROWS as i64).collect()),
            _ => Values::Strings(tailnums()),
        };
        Column { name: name.clone(), values, nulls: Vec::new() }
    };
    Batch { rows: ROWS as u32, columns: names.iter().map(column).collect() }
}

fn tailnums() -> Texts {
    let mut texts = Texts { text: String::new(), ends: Vec::new() };
    for row in 0..ROWS {
        texts.text.push_str(&format!("n{:05}xy", row * 7 % 99_999));
        texts.ends.push(texts.text.len() as u32);
    }
    texts
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    let mut group = criterion.benchmark_group("component");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, rule) in rules() {
        let handler = runtime.block_on(Handler::set_up(&config(&rule)));
        let mut handler = handler.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let rows = rows(&handler.inputs);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let answered = runtime.block_on(handler.bundle(black_box(&rows)));
                assert_eq!(answered.unwrap_or_else(|error| panic!("{error:#}")), ROWS);
            });
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
