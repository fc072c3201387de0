//! Each kind of fault on a tenth of all requests, over 50,000 rows: every row is answered once,
//! correctly, and counted.

use crate::support::beamlet::Beamlet;
use crate::support::rows::Table;
use crate::support::store::{config, folder_of, planes};
use serde_json::Value;
use std::io::{BufWriter, Write};
use std::time::Duration;
use tecton_emulator::{Fault, FaultAnswer, FaultBody, Lateness, StatusFault};

const ROWS: usize = 50_000;

/// Each row is asked for, equal ones too, and a request that hangs is given up soon.
const OPTIONS: &str = "
[run]
coalesce = false
[run.retry]
max_attempts = 12
backoff_ms = 10
max_backoff_ms = 100
[run.breaker]
enabled = false
[sandbox]
first_byte_timeout_ms = 300
between_bytes_timeout_ms = 300
";

/// A run with this fault on a tenth of the requests, in an order that a seed gives.
fn matrix(seed: u64, answer: FaultAnswer) {
    // What only takes longer is not asked for again.
    let is_right = matches!(answer, FaultAnswer::SlowBody(_) | FaultAnswer::Late(_));
    let store = planes().fault(Fault::rate(0.1, seed, answer)).start_blocking().unwrap();
    let folder = folder_of(&format!("{}{OPTIONS}", config(&store.url())));
    let table = Table::of_data("planes.csv");
    // Every eighth plane is one that the store does not know.
    let key = |row: usize| match row % 8 {
        7 => format!("X{row}"),
        _ => table.rows[row % table.rows.len()][0].clone(),
    };
    let mut file = BufWriter::new(std::fs::File::create(folder.file("rows.csv")).unwrap());
    writeln!(file, "n,tailnum").unwrap();
    (0..ROWS).for_each(|row| writeln!(file, "{row},{}", key(row)).unwrap());
    drop(file);
    let ended = Beamlet::run(
        &folder,
        "--input rows.csv --output out.ndjson --summary s.json --progress never",
    )
    .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let mut rows = 0;
    for (row, line) in folder.read("out.ndjson").lines().enumerate() {
        let out: Value = serde_json::from_str(line).unwrap();
        assert_eq!(out["n"], row, "{line}");
        assert_eq!(out["tailnum"], key(row).as_str(), "{line}");
        let plane = &table.rows[row % table.rows.len()];
        let (year, model) = match row % 8 {
            7 => (Value::Null, Value::Null),
            _ => (
                plane[1].parse::<i64>().map_or(Value::Null, Value::from),
                Value::from(plane[4].as_str()),
            ),
        };
        assert_eq!((&out["planes.year"], &out["planes.model"]), (&year, &model), "{line}");
        rows += 1;
    }
    assert_eq!(rows, ROWS);
    let summary: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap() as usize;
    assert_eq!([count("rows"), count("written"), count("failed")], [ROWS, ROWS, 0]);
    assert_eq!([count("enriched"), count("missing")], [ROWS / 8 * 7, ROWS / 8]);
    // 5,000 requests, a tenth of them again, and a tenth of those.
    assert_eq!(count("retried") > ROWS / 20, !is_right, "{summary}");
    // One question more is the set-up's. What the store has read was counted; what was counted
    // and never read was given up before, by a reset or a time-out, and so was tried again.
    let read = store.stats().requests as usize;
    let sent = count("requests") + 1;
    assert!(read <= sent && sent <= read + count("retried"), "{read} read, {summary}");
}

macro_rules! matrix {
    ($($name:ident: $seed:literal, $answer:expr;)*) => {
        $(#[test]
        fn $name() {
            matrix($seed, $answer);
        })*
    };
}

matrix! {
    a_store_that_is_busy: 1, FaultAnswer::status(503);
    a_store_that_asks_for_less: 2, StatusFault::new(429).retry_after("0").into();
    a_store_that_fails: 3, FaultAnswer::status(500);
    a_store_that_takes_too_long: 4, FaultAnswer::status(504);
    a_proxy_with_a_page: 5, StatusFault::new(503).body(FaultBody::Html).into();
    a_proxy_without_a_word: 6, StatusFault::new(502).body(FaultBody::Empty).into();
    a_request_that_hangs: 7, FaultAnswer::Hang(Duration::from_secs(30));
    a_connection_that_is_reset: 8, FaultAnswer::Reset;
    an_answer_that_breaks_off: 9, FaultAnswer::Truncated;
    an_answer_that_is_no_json: 10, FaultAnswer::NotJson;
    an_answer_with_a_row_too_few: 11, FaultAnswer::WrongCount;
    an_answer_that_drips: 12, FaultAnswer::SlowBody(Duration::from_millis(50));
    an_answer_that_is_late: 13, FaultAnswer::Late(Lateness {
        median: Duration::from_millis(7),
        p99: Duration::from_millis(29),
    });
}
