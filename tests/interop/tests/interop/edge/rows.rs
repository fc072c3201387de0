//! Rows go in and come out with their features. Long bodies are answered while they are received.

use std::io::Write;
use std::process::Command;

use beamlet_interop::{Request, Serve, Store, built, flights};
use insta::assert_snapshot;
use serde_json::Value;

use super::{problem, redacted, rows_of};

#[test]
fn an_array_comes_back_as_an_array_in_its_order_with_features_behind_its_own_fields() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let answer = edge.enrich(
        "[ {\"n\": 1.50, \"tailnum\":\"N10156\"},\n{\"tailnum\":\"N0\"}, {\"tailnum\" : null, \
         \"planes.year\":\"own\" }]",
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_snapshot!(answer.text(), @r#"
    [{"n": 1.50, "tailnum":"N10156","planes.year":2004,"planes.type":"Fixed wing multi engine","planes.manufacturer":"EMBRAER","planes.model":"EMB-145XR","planes.engines":2,"planes.seats":55,"planes.speed":null,"planes.engine":"Turbo-fan"},
    {"tailnum":"N0","planes.year":null,"planes.type":null,"planes.manufacturer":null,"planes.model":null,"planes.engines":null,"planes.seats":null,"planes.speed":null,"planes.engine":null},
    {"tailnum" : null, "planes.year":"own","planes.type":null,"planes.manufacturer":null,"planes.model":null,"planes.engines":null,"planes.seats":null,"planes.speed":null,"planes.engine":null}]
    "#);
    assert!(answer.whole);
    assert_eq!(edge.enrich("[]").text(), "[]\n");
}

#[test]
fn lines_come_back_as_lines_and_blank_ones_not_at_all() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let lines = Request::rows("application/x-ndjson; charset=utf-8");
    let answer = edge.ask(&lines.body("{\"tailnum\":\"N10156\"}\r\n\n{\"tailnum\":\"N0\"}"));
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_snapshot!(answer.text(), @r#"
    {"tailnum":"N10156","planes.year":2004,"planes.type":"Fixed wing multi engine","planes.manufacturer":"EMBRAER","planes.model":"EMB-145XR","planes.engines":2,"planes.seats":55,"planes.speed":null,"planes.engine":"Turbo-fan"}
    {"tailnum":"N0","planes.year":null,"planes.type":null,"planes.manufacturer":null,"planes.model":null,"planes.engines":null,"planes.seats":null,"planes.speed":null,"planes.engine":null}
    "#);
    let none = edge.ask(&Request::rows("application/x-ndjson"));
    assert_eq!((none.status, none.text(), none.whole), (200, "", true));
}

#[test]
fn six_thousand_flights_come_out_as_beamlet_run_writes_them() {
    let store = Store::default();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let flights = flights();
    assert_eq!(flights.lines().count(), 6000);
    std::fs::write(file("flights.ndjson"), &flights).unwrap();
    std::fs::write(file("beamlet.json"), store.config().to_string()).unwrap();
    let ran = Command::new(built("release/beamlet"))
        .current_dir(folder.path())
        .args(["run", "--config", "beamlet.json", "--input", "flights.ndjson"])
        .env("TECTON_API_KEY", beamlet_interop::KEY)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let expected = String::from_utf8(ran.stdout).unwrap();

    let edge = Serve::edge(&store.config());
    let lines = edge.ask(&Request::rows("application/x-ndjson").body(&flights));
    assert!(lines.whole);
    for (at, (line, expected)) in lines.text().lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, expected, "row {at}");
    }
    assert_eq!(lines.text().len(), expected.len());

    let array = format!("[{}]", flights.trim_end().replace('\n', ","));
    let array = edge.enrich(array);
    assert_eq!(array.text(), format!("[{}]\n", expected.trim_end().replace('\n', ",\n")));
}

#[test]
fn a_row_that_the_store_refuses_fails_alone_and_keeps_its_fields_and_its_place() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let answer =
        edge.enrich(r#"[{"tailnum":"N10156"},{"tailnum":1.5,"a":[1, 2]},{"tailnum":"N102UW"}]"#);
    let rows = rows_of(&answer);
    assert_eq!(rows[0]["planes.year"], 2004);
    assert_eq!(rows[2]["planes.year"], 1998);
    let second = answer.text().lines().nth(1).unwrap();
    redacted(
        || assert_snapshot!(second, @r#"{"tailnum":1.5,"a":[1, 2],"beamlet_error":{"kind":"invalid-input","message":"field `tailnum` is a fractional number; a join key is a string, an integer or null","retryable":false}},"#),
    );
}

const LINES: &str = "application/x-ndjson";

#[test]
fn the_first_rows_come_back_before_the_last_ones_are_sent() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let mut connection = edge.connect();
    connection.send(&Request::rows(LINES).chunked());
    connection.send_chunk(b"{\"n\":1,\"tailnum\":\"N10156\"}\n{\"n\":2,\"tail");
    let head = connection.head();
    assert_eq!(head.status, 200);
    let first: Value = serde_json::from_slice(&connection.chunk().unwrap()).unwrap();
    assert_eq!((&first["n"], &first["planes.year"]), (&1.into(), &2004.into()));

    connection.send_chunk(b"num\":\"N102UW\"}\n");
    let second: Value = serde_json::from_slice(&connection.chunk().unwrap()).unwrap();
    assert_eq!((&second["n"], &second["planes.year"]), (&2.into(), &1998.into()));
    connection.send_end();
    let answer = connection.rest(head);
    assert!(answer.whole);
    assert_eq!(answer.body, b"");
    let trailers = ["rows", "enriched", "missing", "null-keys", "failed"]
        .map(|name| answer.trailer(&format!("beamlet-{name}")).unwrap().to_owned());
    assert_eq!(trailers, ["2", "2", "0", "0", "0"]);
}

#[test]
fn a_bad_line_of_a_stream_fails_alone_in_its_place() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let mut connection = edge.connect();
    connection.send(&Request::rows(LINES).chunked());
    connection.send_chunk(
        b"{\"tailnum\":\"N10156\"}\nnonsense\n7\n{ \"a\":1.0 }\n{\"tailnum\":\"\xff\"}\n\
          {\"tailnum\":\"N1\",\"beamlet_error\":\"old\"}\n{\"tailnum\":\"N102UW\"}\n",
    );
    connection.send_end();
    let answer = connection.answer();
    let rows = rows_of(&answer);
    assert_eq!((&rows[0]["planes.year"], &rows[6]["planes.year"]), (&2004.into(), &1998.into()));
    let bad: Vec<_> = answer.text().lines().skip(1).take(5).collect();
    assert_snapshot!(bad.join("\n"), @r#"
    {"beamlet_error":{"kind":"invalid-input","message":"row 1 is not JSON: expected ident at line 1 column 2","retryable":false}}
    {"beamlet_error":{"kind":"invalid-input","message":"row 2 is a number, not an object","retryable":false}}
    { "a":1.0,"beamlet_error":{"kind":"invalid-input","message":"row 3 has no field `tailnum`","retryable":false}}
    {"beamlet_error":{"kind":"invalid-input","message":"row 4 is not UTF-8","retryable":false}}
    {"tailnum":"N1","beamlet_error":"old"}
    "#);
    assert_eq!(answer.trailer("beamlet-failed"), Some("5"));
}

/// An array that is as long as is wanted, with `end` behind its rows.
fn array(rows: usize, end: &str) -> String {
    let rows: Vec<_> = (0..rows).map(|n| format!("{{\"n\":{n},\"tailnum\":\"N10156\"}}")).collect();
    format!("[{}{end}", rows.join(","))
}

#[test]
fn an_array_that_breaks_off_after_rows_were_answered_is_no_whole_answer() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    for end in ["", ",", ",{\"tailnum\":\"N1", ",nonsense]", "] more", ",{\"tailnum\":nul}]"] {
        let mut connection = edge.connect();
        connection.send(&Request::rows("application/json").chunked());
        connection.send_chunk(array(3, ",{\"tailnum\":\"N102UW\"}").as_bytes());
        let head = connection.head();
        assert_eq!(head.status, 200);
        connection.send_chunk(end.as_bytes());
        connection.send_end();
        let answer = connection.rest(head);
        assert!(!answer.whole, "{end}: {}", answer.text());
        assert!(serde_json::from_slice::<Value>(&answer.body).is_err(), "{}", answer.text());
    }
    let lines = edge.end().join("\n");
    assert_eq!(lines.matches("\"broken_off\":true").count(), 6, "{lines}");
}

#[test]
fn a_long_body_that_is_no_array_is_refused_as_a_short_one() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let mut connection = edge.connect();
    connection.send(&Request::rows("application/json").chunked());
    connection.send_chunk(b"hello");
    connection.send_end();
    assert_eq!(problem(&connection.answer()).0, 400);
    assert_eq!(store.requests(), 0);
}

#[test]
fn a_client_that_does_not_read_is_waited_for_and_gets_every_row() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let rows = 30_000;
    let mut connection = edge.connect();
    let mut sender = connection.sender();
    let body = array(rows, "]");
    let sending = std::thread::spawn(move || {
        let request = Request::rows("application/json").body(&body);
        sender.write_all(&request.bytes()).unwrap();
    });
    // What is not read fills the buffers on the way, and then stops the handler: the store is not
    // asked for what nobody takes.
    let mut before = u64::MAX;
    while store.requests() != before || before == 0 {
        before = store.requests();
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    assert!(before < rows as u64 / 10, "{before} requests");
    let answer = connection.answer();
    sending.join().unwrap();
    let rows_back = rows_of(&answer);
    assert_eq!(rows_back.len(), rows);
    assert!(rows_back.iter().enumerate().all(|(n, row)| row["n"] == n));
    // Ten rows a request, but for the last of each piece.
    assert!(store.requests() < rows as u64 / 9, "{} requests", store.requests());
}
