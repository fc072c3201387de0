//! A server that says what it was told: the key shows nowhere, wherever it stands.

use super::refused::refused_by_store;
use crate::support::beamlet::Ended;
use crate::support::redacted;
use crate::support::server::{Server, answer, header};
use crate::support::store::KEY;
use insta::assert_snapshot;
use serde_json::json;

/// The server's answer holds what it got as `authorization`, in `text`.
#[track_caller]
fn refused_by_echo(status: &'static str, text: impl Fn(&str) -> String + Send + 'static) -> Ended {
    let server = Server::that_answers(move |request| {
        answer(status, &text(header(request, "authorization").unwrap()))
    });
    let ended = refused_by_store(&server.url());
    let heard = server.heard();
    assert!(heard[0].contains(&format!("authorization: Tecton-key {KEY}\r\n")), "{heard:?}");
    ended
}

#[test]
fn a_key_that_the_server_echoes_in_its_error_is_blotted_out() {
    let ended = refused_by_echo("401 Unauthorized", |key| {
        json!({ "message": format!("no account has {key}, sorry") }).to_string()
    });
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: unauthenticated: the feature store answered 401: no account has Tecton-key [secret], sorry
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_a_proxy_echoes_in_its_html_is_blotted_out() {
    let ended = refused_by_echo("500 Oops", |key| format!("<html><p>got <b>{key}</b></p></html>"));
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.ndjson:1: unavailable: the feature store answered 500: got Tecton-key [secret] (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_stands_where_the_servers_text_is_cut_off_is_not_told_in_part() {
    let ended = refused_by_echo("500 Oops", |key| format!("{}{key}", "x".repeat(275)));
    assert_eq!(ended.code, Some(1));
}

#[test]
fn a_key_that_stands_in_an_answer_which_is_not_json_is_not_told() {
    let ended = refused_by_echo("200 OK", str::to_owned);
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: it is not JSON: expected value at line 1 column 1 (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_stands_in_the_metadata_of_an_answer_is_blotted_out() {
    let ended = refused_by_echo("200 OK", |key| {
        json!({
            "result": [{ "features": ["1"] }],
            "metadata": { "features": [{ "name": key, "dataType": { "type": "boolean" } }] },
        })
        .to_string()
    });
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: feature `Tecton-key [secret]` is declared boolean and is a string
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_a_redirect_leads_to_is_blotted_out() {
    let server = Server::that_answers(|request| {
        let key = header(request, "authorization").unwrap().replace(' ', "/");
        let location = format!("\r\nlocation: http://other.example/{key}\r\n");
        answer("302 Found", "").replacen("\r\n", &location, 1)
    });
    redacted(|| {
        assert_snapshot!(refused_by_store(&server.url()), @"
        error: rows.ndjson:1: bad-response: the feature store answered 302: redirected to http://other.example/Tecton-key/[secret]; redirects are not followed, set `connection.url`
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}
