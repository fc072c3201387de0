//! Servers that are not a store: one that echoes the key in its answers, and one whose answer is
//! half a gigabyte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use insta::assert_snapshot;
use serde_json::json;

use super::{first_line, refused_by_store};
use crate::support::beamlet::{Beamlet, Ended};
use crate::support::redacted;
use crate::support::server::{Server, answer, header};
use crate::support::store::{KEY, config, folder_of};

/// The server's answer holds what it got as `authorization`, in `text`.
#[track_caller]
fn refused_by_echo(status: &'static str, text: impl Fn(&str) -> String + Send + 'static) -> Ended {
    let server = Server::that_answers(move |request| {
        answer(status, &text(header(request, "authorization").unwrap()))
    });
    let ended = refused_by_store(&server.url());
    let received = server.received();
    assert!(received[0].contains(&format!("authorization: Tecton-key {KEY}\r\n")), "{received:?}");
    ended
}

#[test]
fn a_key_that_the_server_echoes_in_its_error_is_redacted() {
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
fn a_key_that_a_proxy_echoes_in_its_html_is_redacted() {
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
fn a_key_at_the_end_of_a_shortened_text_is_not_shown_in_part() {
    let ended = refused_by_echo("500 Oops", |key| format!("{}{key}", "x".repeat(275)));
    assert_eq!(ended.code, Some(1));
}

#[test]
fn a_key_in_an_answer_that_is_not_json_is_not_shown() {
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
fn a_key_in_the_metadata_of_an_answer_is_redacted() {
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
fn a_key_in_a_redirect_location_is_redacted() {
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

const LENGTH: usize = 500 << 20;

/// Answers each request with so many bytes, as far as the client reads them.
fn flood(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || send_flood(stream, status));
        }
    });
    url
}

/// An error is the client's going away.
fn send_flood(mut stream: TcpStream, status: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 0 && line != "\r\n" {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length])?;
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {LENGTH}\r\n\r\n")?;
    let piece = vec![b'x'; 1 << 20];
    (0..LENGTH >> 20).try_for_each(|_| stream.write_all(&piece))
}

fn flood_error(status: &'static str) -> String {
    let folder = folder_of(&(config(&flood(status)) + "[run.retry]\nmax_attempts = 1\n"));
    let ended = Beamlet::run(&folder, "--output out.ndjson").stdin("{\"tailnum\":\"N1\"}\n").end();
    assert_eq!((ended.code, folder.names()), (Some(1), vec!["beamlet.toml".to_owned()]));
    first_line(&ended).to_owned()
}

#[test]
fn an_answer_of_half_a_gigabyte_is_rejected() {
    redacted(
        || assert_snapshot!(flood_error("200 OK"), @"error: standard input:1: bad-response: POST http://[store]/api/v1/feature-service/get-features-batch: the answer is larger than 32 MiB"),
    );
}

#[test]
fn an_error_of_half_a_gigabyte_is_reported_by_status_and_beginning() {
    redacted(
        || assert_snapshot!(flood_error("500 Internal Server Error"), @"error: standard input:1: unavailable: the feature store answered 500: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"),
    );
}
