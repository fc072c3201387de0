//! What comes out of bodies, wherever they are cut.

use super::{Broken, Form, MAX_ROW_BYTES, Rows};
use proptest::prelude::*;

/// The rows of a body that comes in pieces, at most `most` at a time, and what broke it.
fn cut(form: Form, pieces: &[&[u8]], most: usize) -> (Vec<String>, Option<Broken>) {
    let mut rows = Rows::new(form);
    let mut found = Vec::new();
    let mut take = |rows: &mut Rows| {
        assert_eq!(rows.first(), found.len());
        found.extend(rows.rows().map(|row| String::from_utf8_lossy(row).into_owned()));
        rows.clear();
    };
    for piece in pieces {
        rows.push(piece);
        loop {
            let cut = rows.cut(most);
            let full = rows.rows().len() == most;
            take(&mut rows);
            match cut {
                Err(broken) => return (found, Some(broken)),
                Ok(()) if full => {}
                Ok(()) => break,
            }
        }
    }
    rows.end();
    while !rows.is_done() || rows.pending_bytes() > 0 {
        let cut = rows.cut(most);
        take(&mut rows);
        if let Err(broken) = cut {
            return (found, Some(broken));
        }
    }
    let broken = rows.cut(most).err();
    (found, broken)
}

#[track_caller]
fn assert_rows(form: Form, body: &str, expected: &[&str]) {
    assert_eq!(cut(form, &[body.as_bytes()], 1000), (of(expected), None), "{body}");
    let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    assert_eq!(cut(form, &bytes, 1), (of(expected), None), "{body}, byte by byte");
}

#[track_caller]
fn assert_broken(body: &str, rows: &[&str], expected: Broken) {
    assert_eq!(cut(Form::Array, &[body.as_bytes()], 1), (of(rows), Some(expected)), "{body}");
}

fn of(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

#[test]
fn an_array_gives_its_rows_wherever_it_is_cut() {
    assert_rows(Form::Array, "[]", &[]);
    assert_rows(Form::Array, " [ ] \r\n", &[]);
    assert_rows(Form::Array, r#"[{"a":1},{"b":[2,{}]}]"#, &[r#"{"a":1}"#, r#"{"b":[2,{}]}"#]);
    assert_rows(
        Form::Array,
        r#"[{"a":"],[{\"\\"} , {"\u00e9é":"\\\\"}]"#,
        &[r#"{"a":"],[{\"\\"} "#, r#"{"\u00e9é":"\\\\"}"#],
    );
    assert_rows(Form::Array, "[\n  {\n  },\n 7 ]", &["{\n  }", "7 "]);
}

#[test]
fn lines_give_their_rows_and_blank_ones_none() {
    assert_rows(Form::Lines, "", &[]);
    assert_rows(Form::Lines, "\n \r\n", &[]);
    assert_rows(Form::Lines, "{}\n{\"a\":1}\r\n\n{}", &["{}", "{\"a\":1}\r", "{}"]);
    assert_rows(Form::Lines, "[\n\"x\n", &["[", "\"x"]);
}

#[test]
fn what_is_no_array_of_rows_is_told_at_once() {
    let begins = |with: &str| Broken::NoArray(with.to_owned());
    assert_broken("", &[], Broken::Empty);
    assert_broken("  ", &[], Broken::Empty);
    assert_broken("hello", &[], begins("something that is not JSON"));
    assert_broken("\"x\"", &[], begins("a text"));
    assert_broken("17", &[], begins("a number"));
    assert_broken("[,{}]", &[], Broken::NoRow(0));
    assert_broken("[{},]", &["{}"], Broken::NoRow(1));
    assert_broken("[{},,{}]", &["{}"], Broken::NoRow(1));
    assert_broken("[{}] {}", &["{}"], Broken::More);
    assert_broken("[{}]]", &["{}"], Broken::More);
    let (_, broken) = cut(Form::Array, &[b"{}"], 1);
    assert!(broken.unwrap().to_string().contains("as application/x-ndjson"));
}

#[test]
fn an_array_that_breaks_off_is_told_with_the_row_that_is_not_there() {
    assert_broken("[", &[], Broken::BreaksOff(0));
    assert_broken("[{\"a\":", &[], Broken::BreaksOff(0));
    assert_broken("[{},{\"a\":\"", &["{}"], Broken::BreaksOff(1));
    assert_broken("[{},{}", &["{}"], Broken::BreaksOff(1));
    assert_broken("[{},", &["{}"], Broken::BreaksOff(1));
}

#[test]
fn a_row_that_does_not_end_is_told_before_it_fills_the_memory() {
    for (form, begin) in [(Form::Array, "[{},\""), (Form::Lines, "{}\n\"")] {
        let mut rows = Rows::new(form);
        rows.push(begin.as_bytes());
        let mut pushed = 0;
        let broken = loop {
            match rows.cut(1000) {
                Ok(()) => {}
                Err(broken) => break broken,
            }
            rows.clear();
            rows.push(&[b'x'; 1000]);
            pushed += 1000;
        };
        assert_eq!(broken, Broken::TooLong(1));
        assert!(pushed <= MAX_ROW_BYTES + 1000, "{pushed}");
    }
}

proptest! {
    #[test]
    fn rows_come_out_as_they_went_in(
        rows in prop::collection::vec(any_row(), 0..12),
        cuts in prop::collection::vec(1_usize..9, 1..40),
        most in 1_usize..5,
        lines: bool,
    ) {
        let form = if lines { Form::Lines } else { Form::Array };
        let body = if lines { rows.join("\n") } else { format!("[{}]", rows.join(",")) };
        let mut rest = body.as_bytes();
        let mut pieces = Vec::new();
        for length in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*length).min(rest.len()));
            pieces.push(piece);
            rest = later;
        }
        prop_assert_eq!(cut(form, &pieces, most), (rows, None));
    }
}

/// A JSON object on one line.
fn any_row() -> impl Strategy<Value = String> {
    let text = || prop::string::string_regex("[a-z\\\\\"\\[\\]{}, \u{e9}]{0,8}").unwrap();
    let leaf = prop_oneof![
        text().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(serde_json::Value::from)
    });
    prop::collection::vec((text(), value), 0..4)
        .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect()).to_string())
}

#[test]
fn a_form_is_known_by_its_type_whatever_its_case_and_parameters() {
    assert_eq!(Form::of("application/json"), Some(Form::Array));
    assert_eq!(Form::of("Application/JSON; charset=\"UTF-8\""), Some(Form::Array));
    assert_eq!(Form::of("application/x-ndjson;charset=utf-8; q=1"), Some(Form::Lines));
    assert_eq!(Form::of("application/jsonl"), Some(Form::Lines));
}

#[test]
fn another_type_and_another_encoding_are_no_form() {
    for other in ["", "text/plain", "application/json+x", "application/json; charset=latin1"] {
        assert_eq!(Form::of(other), None, "{other}");
    }
}
