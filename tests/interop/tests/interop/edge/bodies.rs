//! Invalid requests.

use super::problem;
use beamlet_interop::{Request, Serve, Store};
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn another_path_method_or_type_is_told_as_http_has_it() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    assert_eq!(problem(&edge.get("/nowhere")).0, 404);

    let method = edge.get("/enrich");
    assert_eq!(problem(&method).0, 405);
    assert_eq!(method.header("allow"), Some("POST"));
    let method = edge.ask(&Request::new("DELETE", "/schema"));
    assert_eq!(problem(&method).0, 405);
    assert_eq!(method.header("allow"), Some("GET, HEAD"));

    for type_ in ["text/csv", "application/json; charset=latin1"] {
        let answer = edge.ask(&Request::rows(type_).body("[]"));
        assert_eq!(problem(&answer).0, 415);
        assert_eq!(answer.header("accept"), Some("application/json, application/x-ndjson"));
    }
    assert_eq!(problem(&edge.ask(&Request::new("POST", "/enrich").body("[]"))).0, 415);
    assert_eq!(store.requests(), 0);
}

#[test]
fn all_bad_rows_of_a_body_are_told_by_number_and_none_is_asked_for() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let answer = edge.enrich(
        r#"[{"tailnum":"N1"},7,{"Tailnum":"N2"},{"tailnum":"N3"},{"a":nul},
            {"tailnum":"N4","beamlet_error":1}]"#,
    );
    problem(&answer);
    assert_snapshot!(serde_json::to_string_pretty(&answer.json()).unwrap(), @r#"
    {
      "title": "Bad Request",
      "status": 400,
      "detail": "4 rows cannot be enriched; no row was asked for",
      "rows": [
        {
          "row": 1,
          "message": "is a number, not an object"
        },
        {
          "row": 2,
          "message": "has no field `tailnum`"
        },
        {
          "row": 4,
          "message": "is not JSON: expected ident at line 1 column 9"
        },
        {
          "row": 5,
          "message": "has a field `beamlet_error`, where failures are reported; leave it out"
        }
      ]
    }
    "#);
    let lines = Request::rows("application/x-ndjson").body(b"{\"tailnum\":\"\xff\"}\n[]\n");
    let answer = edge.ask(&lines);
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json()["rows"],
        json!([
            { "row": 0, "message": "is not UTF-8" },
            { "row": 1, "message": "is an array, not an object" },
        ])
    );
    assert_eq!(store.requests(), 0);
}

#[test]
fn a_body_that_is_no_rows_at_all_is_told_for_what_it_is() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let mut reported = String::new();
    let row = "{\"tailnum\":\"N10156\"}";
    for body in [
        "",
        "hello",
        row,
        "[",
        &format!("[{row}"),
        &format!("[{row},"),
        &format!("[{row},{{\"tailnum\":\"N1"),
        &format!("[{row}] more"),
        &format!("[{row},,{row}]"),
    ] {
        let (status, detail) = problem(&edge.enrich(body));
        assert_eq!(status, 400, "{body}");
        reported.push_str(&format!("{detail}\n"));
    }
    assert_snapshot!(reported, @"
    the body is empty, where a JSON array of objects should be
    the body is not a JSON array of objects: it begins with something that is not JSON
    the body is not a JSON array of objects: it begins with an object; send [ before it and ] behind it, or an object a line as application/x-ndjson
    the body breaks off: the array does not end behind its rows, and row 0 is not whole
    the body breaks off: the array does not end behind its rows, and row 0 is not whole
    the body breaks off: the array does not end behind its rows, and row 1 is not whole
    the body breaks off: the array does not end behind its rows, and row 1 is not whole
    the body is not JSON: more text follows the end of the array
    the body is not JSON: there is nothing where row 1 should be
    ");
    let (status, _) = problem(&edge.enrich(b"[{\"tailnum\":\"\xff\xfe\"}]"));
    assert_eq!(status, 400);
    assert_eq!(store.requests(), 0);
}

#[test]
fn a_body_over_the_limit_is_refused_whether_or_not_its_length_is_told() {
    let store = Store::default();
    let edge = Serve::edge_with(&store.config(), &["--env", "BEAMLET_MAX_BODY_BYTES=1000"]);
    let body = format!("[{}]", vec!["{\"tailnum\":\"N10156\"}"; 100].join(","));
    let (status, detail) = problem(&edge.enrich(&body));
    assert_eq!(status, 413);
    assert!(detail.contains("larger than 1000 bytes"), "{detail}");

    let mut connection = edge.connect();
    connection.send(&Request::rows("application/json").chunked());
    connection.send_chunk(body.as_bytes());
    connection.send_end();
    assert_eq!(problem(&connection.answer()).0, 413);
    assert_eq!(store.requests(), 0);
}

#[test]
fn a_row_that_has_no_end_is_refused_before_it_fills_the_memory() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let body = format!("[{{\"tailnum\":\"{}\"}}]", "x".repeat(2 << 20));
    let (status, detail) = problem(&edge.enrich(body));
    assert_eq!(status, 413);
    assert_eq!(detail, "row 0 is longer than 1048576 bytes, the longest row that is accepted");
}
