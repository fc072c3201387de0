//! Each fault as a client sees it.

use std::time::{Duration, Instant};

use serde_json::json;
use tecton_emulator::{
    Emulator, Endpoint, Fault, FaultAnswer, FaultBody, Lateness, RepositoryFile, StatusFault,
};

use crate::client::{Answer, Client, KEY, known, repository, shop};

fn with(fault: Fault) -> Client {
    Client::start(Emulator::builder(repository(shop())).fault(fault))
}

fn ask(client: &Client) -> Answer {
    client.batch_of(&[known(), known()])
}

/// Asks in a way that may fail without an answer.
fn try_ask(client: &Client) -> Result<Answer, ureq::Error> {
    let body = json!({"params": {
        "workspaceName": "prod", "featureServiceName": "shop",
        "requestData": [{"joinKeyMap": known()}],
    }});
    let authorization = format!("Tecton-key {KEY}");
    client.post_as(Endpoint::GetFeaturesBatch, Some(&authorization), &body.to_string())
}

#[test]
fn the_first_requests_get_the_fault_and_the_rest_their_answers() {
    let client = with(Fault::first(2, StatusFault::new(429).retry_after("1").into()));
    for _ in 0..2 {
        let answer = ask(&client);
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
        answer.assert_error(
            429,
            8,
            "GetFeatures exceeded the concurrent request limit, please retry later",
        );
    }
    ask(&client).json();
}

#[test]
fn a_status_may_have_a_message_of_its_own() {
    let message = "DynamoDB throttled the request. The request rate exceeds the aws account's throughput limit.";
    let client = with(Fault::every(StatusFault::new(429).message(message).into()));
    ask(&client).assert_error(429, 8, message);
}

#[test]
fn a_503_may_be_a_proxys_html() {
    let client = with(Fault::every(StatusFault::new(503).body(FaultBody::Html).into()));
    let answer = ask(&client);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.content_type.as_deref(), Some("text/html"));
    assert!(answer.text.contains("<h1>503 Service Temporarily Unavailable</h1>"));
}

#[test]
fn every_status_of_the_table_can_be_forced() {
    for (status, code, message) in [
        (503, 14, "503 Service Temporarily Unavailable"),
        (504, 4, "Timed out"),
        (500, 13, "Internal Server Error"),
    ] {
        let client = with(Fault::every(FaultAnswer::status(status)));
        ask(&client).assert_error(status, code, message);
    }
}

#[test]
fn a_body_may_be_empty() {
    let client = with(Fault::every(StatusFault::new(502).body(FaultBody::Empty).into()));
    let answer = ask(&client);
    assert_eq!((answer.status, answer.text.as_str()), (502, ""));
}

#[test]
fn a_success_may_not_be_json() {
    let answer = ask(&with(Fault::every(FaultAnswer::NotJson)));
    assert_eq!((answer.status, answer.text.as_str()), (200, "not JSON"));
}

#[test]
fn a_success_may_have_one_result_too_few() {
    let client = with(Fault::first(2, FaultAnswer::WrongCount));
    assert_eq!(ask(&client).rows().len(), 1);
    let answer = client.get_features(json!({"joinKeyMap": known()}));
    assert_eq!(answer.features(), json!([]));
    assert_eq!(ask(&client).rows().len(), 2);
}

#[test]
fn a_truncated_body_ends_before_its_length() {
    let client = with(Fault::first(1, FaultAnswer::Truncated));
    let ureq::Error::Io(error) = try_ask(&client).unwrap_err() else {
        panic!("it has not failed while it was read");
    };
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    ask(&client).json();
}

#[test]
fn a_hang_comes_before_the_right_answer() {
    let duration = Duration::from_millis(50);
    let client = with(Fault::every(FaultAnswer::Hang(duration)));
    let begun = Instant::now();
    ask(&client).json();
    assert!(begun.elapsed() >= duration);
}

#[test]
fn a_reset_leaves_no_answer() {
    let client = with(Fault::first(1, FaultAnswer::Reset));
    let error = try_ask(&client).unwrap_err();
    let ureq::Error::Io(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    ask(&client).json();
    assert_eq!(client.emulator.stats().requests, 2);
}

#[test]
fn a_fault_may_be_of_one_endpoint_only() {
    let fault = Fault::every(FaultAnswer::status(500)).on(Endpoint::GetFeaturesBatch);
    let client = with(fault);
    client.get_features(json!({"joinKeyMap": known()})).json();
    assert_eq!(ask(&client).status, 500);
}

#[test]
fn a_seeded_rate_is_the_same_in_every_emulator() {
    let statuses = || -> Vec<u16> {
        let client = with(Fault::rate(0.5, 7, FaultAnswer::status(503)));
        (0..20).map(|_| ask(&client).status).collect()
    };
    let first = statuses();
    assert_eq!(first, statuses());
    assert!(first.contains(&200) && first.contains(&503));
}

#[test]
fn faults_can_be_replaced_while_it_runs_and_a_reset_begins_them_anew() {
    let client = Client::of(shop());
    ask(&client).json();
    let fault = Fault::first(1, FaultAnswer::status(503));
    client.emulator.set_faults(vec![fault]);
    assert_eq!((ask(&client).status, ask(&client).status), (503, 200));
    client.emulator.reset();
    assert_eq!((ask(&client).status, ask(&client).status), (503, 200));
}

#[test]
fn a_repository_file_may_have_faults() {
    let file = RepositoryFile::from_toml(
        "[settings]\nmax_batch_size = 1\n[[fault]]\nfirst = 1\nstatus = 504\n[[api_key]]\nkey = \"demo-key\"\n",
    )
    .unwrap();
    let client = Client::start(Emulator::of_file(file));
    ask(&client).assert_error(504, 4, "Timed out");
    assert_eq!(ask(&client).status, 404);
}

#[test]
fn a_slow_body_is_whole_and_takes_its_time() {
    let client = with(Fault::every(FaultAnswer::SlowBody(Duration::from_millis(300))));
    let started = Instant::now();
    ask(&client).json();
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
}

#[test]
fn late_answers_are_right() {
    let (median, p99) = (Duration::from_millis(20), Duration::from_millis(40));
    let client = with(Fault::every(FaultAnswer::Late(Lateness { median, p99 })));
    let started = Instant::now();
    (0..10).for_each(|_| drop(ask(&client).json()));
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
}
