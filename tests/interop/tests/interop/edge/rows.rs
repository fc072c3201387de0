//! Rows go in, and come out with their features.

use super::{redacted, rows_of};
use beamlet_interop::{Request, Serve, Store, built, flights};
use insta::assert_snapshot;
use std::process::Command;

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
