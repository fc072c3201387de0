//! Stores that cannot be reached, or send invalid answers.

use super::{first_line, refused, refused_by, refused_by_store};
use crate::support::redacted;
use crate::support::server::{Server, answer, closed_port};
use crate::support::store::{KEY, Store, config, folder_of};
use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;
use tecton_emulator::{FaultAnswer, FaultBody, StatusFault};

#[test]
fn a_store_that_refuses_connections_is_named_by_its_url() {
    redacted(|| {
        assert_snapshot!(refused_by_store(&closed_port()), @"
        error: rows.ndjson:1: unavailable: POST http://[store]/api/v1/feature-service/get-features-batch: connection refused (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_refused_connection_is_reported_even_during_a_large_request() {
    let folder = folder_of(&config(&closed_port()));
    folder.write("rows.ndjson", json!({ "tailnum": "x".repeat(8 << 20) }).to_string());
    let ended = refused(&folder, "run --config beamlet.toml --input rows.ndjson");
    redacted(
        || assert_snapshot!(first_line(&ended), @"error: rows.ndjson:1: unavailable: POST http://[store]/api/v1/feature-service/get-features-batch: connection refused (attempt 5)"),
    );
}

#[test]
fn a_store_whose_name_is_not_known_is_named_by_its_url() {
    // `.invalid` is reserved: no resolver knows it.
    let ended = refused_by_store("http://store.invalid");
    assert_eq!(ended.code, Some(1));
    assert!(
        first_line(&ended).starts_with(
            "error: rows.ndjson:1: unavailable: POST http://store.invalid/api/v1/feature-service/get-features-batch: the host name could not be resolved"
        ),
        "{ended}"
    );
}

#[test]
fn an_answer_that_is_not_json_is_reported() {
    let store = Store::that_answers(FaultAnswer::NotJson);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: it is not JSON: expected ident at line 1 column 2 (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_proxys_html_is_reported_as_text() {
    let store = Store::that_answers(StatusFault::new(503).body(FaultBody::Html));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: unavailable: the feature store answered 503: 503 Service Temporarily Unavailable (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn an_error_without_a_body_is_reported() {
    let store = Store::that_answers(StatusFault::new(502).body(FaultBody::Empty));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: unavailable: the feature store answered 502: an empty body (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn an_answer_with_too_few_rows_is_reported_with_both_counts() {
    let store = Store::that_answers(FaultAnswer::WrongCount);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: it has 0 rows for 1 entity (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_truncated_answer_is_reported() {
    let store = Store::that_answers(FaultAnswer::Truncated);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: bad-response: POST http://[store]/api/v1/feature-service/get-features-batch: connection terminated (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_connection_reset_is_reported() {
    let store = Store::that_answers(FaultAnswer::Reset);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: bad-response: POST http://[store]/api/v1/feature-service/get-features-batch: the connection was closed before the answer (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_request_to_a_store_that_hangs_times_out() {
    let store = Store::that_answers(FaultAnswer::Hang(Duration::from_secs(3600)));
    let folder = folder_of(&(config(&store.url()) + "[sandbox]\nfirst_byte_timeout_ms = 50\n"));
    redacted(|| {
        assert_snapshot!(refused_by(&folder, "--config beamlet.toml"), @"
        error: rows.ndjson:1: timed-out: POST http://[store]/api/v1/feature-service/get-features-batch: no answer within the time allowed (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_connection_time_out_differs_from_a_response_time_out() {
    // The system connects, up to TLS, and nobody says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let refused = |url: String, kwargs: &str| {
        let kwargs = format!("kwargs = {{ {kwargs} }}\n\n[retrieval]");
        let folder = folder_of(&config(&url).replace("[retrieval]", &kwargs));
        let ended = refused_by(&folder, "--config beamlet.toml");
        assert_eq!(ended.code, Some(1));
        first_line(&ended).to_owned()
    };
    let reported = [
        refused(format!("https://{at}"), "connect_timeout_ms = 50"),
        refused(format!("http://{at}"), "timeout_ms = 50"),
        refused(format!("https://{at}"), "timeout_ms = 50"),
    ];
    redacted(|| {
        assert_snapshot!(reported.join("\n"), @"
        error: rows.ndjson:1: timed-out: POST https://[store]/api/v1/feature-service/get-features-batch: no connection within the time allowed (attempt 5)
        error: rows.ndjson:1: timed-out: POST http://[store]/api/v1/feature-service/get-features-batch: no answer within the time allowed (attempt 5)
        error: rows.ndjson:1: timed-out: POST https://[store]/api/v1/feature-service/get-features-batch: no connection within the time allowed (attempt 5)
        ")
    });
}

#[test]
fn a_key_that_the_store_does_not_know_is_401() {
    let store = Store::start();
    let other = config(&store.url()).replace(KEY, "another-key");
    redacted(|| {
        assert_snapshot!(refused_by(&folder_of(&other), "--config beamlet.toml"), @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: unauthenticated: the feature store answered 401: invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_may_not_is_403() {
    let store = Store::that_answers(FaultAnswer::status(403));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: forbidden: the feature store answered 403: Not Authorized. Note that access control changes may take up to 60 seconds to apply.
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn an_unknown_feature_service_is_404_and_named() {
    let store = Store::start();
    let other = config(&store.url()).replace("planes_features", "trains_features");
    redacted(|| {
        assert_snapshot!(refused_by(&folder_of(&other), "--config beamlet.toml"), @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: not-found: the feature store answered 404: Unable to query FeatureService `trains_features` for workspace `prod`. Newly created feature services may take up to 60 seconds to query. Also, ensure that the workspace is a live workspace.
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn an_entity_id_that_is_not_a_join_key_is_400_in_the_stores_words() {
    let store = Store::start();
    let folder = folder_of(&config(&store.url()).replace("'tailnum'", "'flight'"));
    folder.write("rows.csv", "flight\n1545\n");
    let ended = refused(&folder, "run --config beamlet.toml --input rows.csv");
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.csv:2: the bundle from here to line 2: the handler refused the bundle: invalid-input: the feature store answered 400: Unknown join key: flight, expected one of: [tailnum]
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_store_that_asks_for_fewer_requests_is_429() {
    let store = Store::that_answers(StatusFault::new(429).retry_after("7"));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        0 rows, 0 a second after 10 s, 100 % of the input, 0 s to come
        0 rows, 0 a second after 20 s, 100 % of the input, 0 s to come
        error: rows.ndjson:1: throttled: the feature store answered 429: GetFeatures exceeded the concurrent request limit, please retry later; it asks to wait 7 s (attempt 5)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        4 rows asked for again
        5 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_redirect_is_not_followed_and_its_target_is_reported() {
    let server = Server::that_answers(|_| {
        answer("302 Found", "").replacen("\r\n", "\r\nlocation: http://other.example/\r\n", 1)
    });
    redacted(|| {
        assert_snapshot!(refused_by_store(&server.url()), @"
        error: rows.ndjson:1: bad-response: the feature store answered 302: redirected to http://other.example/; redirects are not followed, set `connection.url`
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
    let received = server.received();
    assert!(received.iter().all(|request| request.starts_with("POST /api/v1/")), "{received:?}");
}
