//! Logs, metrics, traces and progress of a run.

use crate::support::beamlet::Beamlet;
use crate::support::store::{KEY, Store, config, folder_of, planes};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

fn rows(count: usize) -> String {
    (0..count).map(|n| format!("{{\"n\":{n},\"tailnum\":\"N{n}\"}}\n")).collect()
}

/// What a server answers to a GET.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn prometheus_reads_every_number_of_a_run_while_it_is_under_way() {
    let store = Store::start();
    let folder = store.folder();
    let arguments = "--metrics-addr 127.0.0.1:0 --bundle-size 10";
    let mut child = Beamlet::run(&folder, arguments).into_command();
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("metrics at http://").unwrap();
    let address = address.strip_suffix("/metrics").unwrap().to_owned();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{{\"tailnum\":\"N10156\"}}\n{}", rows(9)).as_bytes()).unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    (0..10).for_each(|_| drop(out.next().unwrap().unwrap()));

    let answer = get(&address, "/metrics");
    for expected in [
        "beamlet_rows_read_total{",
        "beamlet_rows_answered_total{outcome=\"enriched\"",
        "beamlet_bundle_duration_seconds_bucket{",
        "beamlet_request_duration_seconds_count{",
        "beamlet_handler_features_retrieved_total{",
        "beamlet_handler_feature_retrieval_requests_total{",
        "beamlet_handler_feature_retrieval_errors_total{",
        "beamlet_requests_limit{",
        "beamlet_breaker_open{",
    ] {
        assert!(answer.contains(expected), "{expected} is not in\n{answer}");
    }
    let number = |name: &str| {
        let line = answer.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    assert_eq!(number("beamlet_rows_read_total"), 10.0);
    assert_eq!(number("beamlet_rows_answered_total{outcome=\"enriched\""), 1.0);
    assert_eq!(number("beamlet_handler_features_retrieved_total"), 1.0);
    let help: BTreeSet<&str> =
        answer.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    assert!(help.iter().all(|name| name.starts_with("beamlet_") || *name == "target_info"));
    assert!(get(&address, "/").starts_with("HTTP/1.1 404"));
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_address_in_use_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Store::start().folder();
    let address = taken.local_addr().unwrap();
    let ended = Beamlet::run(&folder, &format!("--metrics-addr {address}")).end();
    crate::support::redacted(|| {
        insta::assert_snapshot!(ended, @"
        error: --metrics-addr [store]: cannot be listened at: Address already in use (os error 98); choose another address, or port 0 for one that is free
        exit code 1
        ");
    });
}

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collected {
    spans: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

/// Answers OTLP/HTTP until the test ends.
fn collector() -> (String, Collected) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let collected = Collected::default();
    let keeps = collected.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let keeps = keeps.clone();
            std::thread::spawn(move || while receive(&stream, &keeps).is_some() {});
        }
    });
    (url, collected)
}

fn receive(stream: &TcpStream, keeps: &Collected) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 && line != "\r\n" {
        if let Some(rest) = line.strip_prefix("POST ") {
            path = rest.split(' ').next()?.to_owned();
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
        line.clear();
    }
    if path.is_empty() {
        return None;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    match path.as_str() {
        "/v1/traces" => {
            keeps.spans.lock().unwrap().push(ExportTraceServiceRequest::decode(&*body).unwrap());
        }
        "/v1/metrics" => {
            keeps
                .metrics
                .lock()
                .unwrap()
                .push(ExportMetricsServiceRequest::decode(&*body).unwrap());
        }
        other => panic!("{other}"),
    }
    let mut writer = stream;
    writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()
}

#[test]
fn a_collector_gets_spans_and_metrics_over_otlp() {
    let (url, collected) = collector();
    let store = Store::start();
    let folder = store.folder();
    Beamlet::run(&folder, &format!("--otlp-endpoint {url} --bundle-size 10"))
        .stdin(rows(20))
        .succeed();
    let spans = collected.spans.lock().unwrap();
    let spans: Vec<_> = spans
        .iter()
        .flat_map(|request| &request.resource_spans)
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).count();
    assert_eq!((named("bundle"), named("attempt")), (2, 2));
    assert!(named("request") >= 2);
    let bundle = spans.iter().find(|span| span.name == "bundle").unwrap();
    assert!(
        spans
            .iter()
            .any(|span| { span.name == "attempt" && span.parent_span_id == bundle.span_id })
    );
    let metrics = collected.metrics.lock().unwrap();
    let names: BTreeSet<&str> = metrics
        .iter()
        .flat_map(|request| &request.resource_metrics)
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics)
        .map(|metric| metric.name.as_str())
        .collect();
    for expected in ["beamlet.rows.read", "beamlet.bundle.duration", "beamlet.request.duration"] {
        assert!(names.contains(expected), "{names:?}");
    }
}

/// What a run writes to a terminal: `script` gives it one.
fn on_a_terminal(folder: &crate::support::beamlet::Folder, arguments: &str) -> String {
    let beamlet = Beamlet::run(folder, arguments).into_command();
    let words = std::iter::once(beamlet.get_program()).chain(beamlet.get_args());
    let line: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
    script.current_dir(folder.path()).env("TERM", "xterm").stdin(Stdio::null());
    for (name, value) in beamlet.get_envs() {
        script.env(name, value.unwrap());
    }
    let ended = script.output().unwrap();
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{shown}");
    shown
}

#[test]
fn a_terminal_shows_a_bar_with_the_rate_and_the_time_to_come() {
    let store = planes().latency(std::time::Duration::from_millis(100)).start_blocking().unwrap();
    let folder = folder_of(&config(&store.url()));
    folder.write("rows.ndjson", rows(300));
    Beamlet::run(&folder, "--input rows.ndjson --output rows.parquet").succeed();
    Beamlet::run(&folder, "--input rows.ndjson --output rows.arrow").succeed();
    for input in ["rows.ndjson", "rows.parquet", "rows.arrow"] {
        let arguments =
            format!("--input {input} --output out.ndjson --in-flight 1 --bundle-size 40");
        let shown = on_a_terminal(&folder, &arguments);
        let bars: Vec<&str> = shown.split('\r').filter(|bar| bar.contains(" to come")).collect();
        let under_way = |bar: &&&str| bar.contains(" rows, ") && bar.contains(" a second");
        assert!(bars.iter().any(|bar| under_way(&bar) && bar.contains('%')), "{input}: {shown}");
        assert!(shown.contains("written to out.ndjson"), "{input}: {shown}");
    }
    let shown = on_a_terminal(&folder, "--input rows.ndjson --output out.ndjson --progress never");
    assert!(!shown.contains(" to come"), "{shown}");
}

#[test]
fn a_run_does_not_fail_because_nobody_collects() {
    let store = Store::start();
    let folder = store.folder();
    let url = crate::support::server::closed_port();
    let arguments = format!("--otlp-endpoint {url} --progress never");
    let ended = Beamlet::run(&folder, &arguments).stdin(rows(3)).end();
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 3), "{ended}");
    let reported: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains(" WARN ") || line.contains("ERROR"))
        .collect();
    assert_eq!(reported.len(), 1, "{ended}");
    let reported = reported[0].split_once("--otlp-endpoint").unwrap().1;
    crate::support::redacted(|| {
        insta::assert_snapshot!(reported, @" http://[store]: traces and metrics cannot be sent: Connection refused (os error 111); see whether a collector listens there; the run goes on without it");
    });
}

#[test]
fn an_empty_endpoint_variable_counts_as_unset() {
    let store = Store::start();
    let folder = store.folder();
    let run = Beamlet::run(&folder, "--progress never").stdin(rows(3));
    let ended = run.env("OTEL_EXPORTER_OTLP_ENDPOINT", "").env("BEAMLET_LOG", "").end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(!ended.stderr.contains("WARN"), "{ended}");
}

#[test]
fn a_redis_that_is_down_is_reported_once_with_address_and_reason() {
    let store = Store::start();
    let url = crate::support::server::closed_port().replace("http://", "redis://:k3y-k3y@");
    let cache = format!("[run.cache]\nmemory_mib = 0\nredis = '{url}'\n");
    let folder = folder_of(&(config(&store.url()) + &cache));
    let arguments = "--bundle-size 5 --progress never";
    let ended = Beamlet::run(&folder, arguments).stdin(rows(100)).end();
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 100), "{ended}");
    let reported: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("redis")).collect();
    assert_eq!(reported.len(), 1, "{ended}");
    assert!(!ended.stderr.contains("k3y"), "{ended}");
    let reported = reported[0].split_once("redis at").unwrap().1;
    crate::support::redacted(|| {
        insta::assert_snapshot!(reported, @" [store]: cannot be reached: Connection refused (os error 111); rows are asked for without the shared cache until it answers; see `redis` in [run.cache]");
    });
}

#[test]
fn a_variable_without_certificate_authorities_is_reported_once() {
    let folder = folder_of(&config("https://127.0.0.1:1"));
    folder.write("rows.ndjson", rows(1));
    folder.write("empty.pem", "");
    for (name, value, expected) in [
        ("SSL_CERT_FILE", "no-such.pem", "SSL_CERT_FILE=no-such.pem: cannot be read: No such file"),
        ("SSL_CERT_FILE", "empty.pem", "SSL_CERT_FILE=empty.pem: holds no certificate"),
        ("SSL_CERT_FILE", "", "SSL_CERT_FILE=: cannot be read"),
        ("SSL_CERT_DIR", "no-such", "SSL_CERT_DIR=no-such: cannot be read: No such file"),
    ] {
        for command in ["run --input rows.ndjson --output o.ndjson --config", "check --config"] {
            let beamlet = Beamlet::new(&folder, &format!("{command} beamlet.toml"));
            let ended = beamlet.env("SSL_CERT_DIR", "/").env("SSL_CERT_FILE", "/dev/null");
            let ended = ended.env(name, value).end();
            let reported = ended.stderr.matches(&format!("warning: {expected}")).count();
            assert_eq!(reported, 1, "{ended}");
        }
    }
}

/// The events of a log, each without its time.
fn events(folder: &crate::support::beamlet::Folder, filter: &str) -> Vec<String> {
    let arguments = format!("--log {filter} --progress never");
    let ended = Beamlet::run(folder, &arguments).stdin(rows(3)).end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let time = |line: &str| line.starts_with("20");
    let lines = ended.stderr.lines().filter(|line| time(line));
    lines.map(|line| line.split_once('Z').unwrap().1.trim().to_owned()).collect()
}

#[test]
fn info_logs_start_handler_store_and_end_and_no_dependency() {
    let folder = Store::start();
    let folder = (folder.folder(), folder).0;
    let store = Store::start();
    folder.write("beamlet.toml", config(&store.url()));
    let events = events(&folder, "info");
    for expected in [
        "the handler is loaded",
        "the run starts",
        "the store may be called at this destination",
        "rows are read",
        "the run has ended",
    ] {
        assert_eq!(
            events.iter().filter(|event| event.contains(expected)).count(),
            1,
            "{events:#?}"
        );
    }
    assert!(events.iter().all(|event| event.contains(" beamlet")), "{events:#?}");
}

#[test]
fn debug_logs_bundles_retries_and_limits_and_dependencies_only_if_named() {
    let fault = tecton_emulator::FaultAnswer::status(503);
    let fault =
        tecton_emulator::Fault::first(1, fault).on(tecton_emulator::Endpoint::GetFeaturesBatch);
    let fast_retry = "[run.retry]\nbackoff_ms = 1\n";
    let reported = |filter: &str| {
        let store = planes().fault(fault.clone()).start_blocking().unwrap();
        let folder = folder_of(&(config(&store.url()) + fast_retry));
        events(&folder, filter)
    };
    let debug = reported("debug");
    for expected in ["a bundle is done", "asking for rows again", "fewer requests may be made"] {
        assert!(debug.iter().any(|event| event.contains(expected)), "{expected}: {debug:#?}");
    }
    assert!(debug.iter().all(|event| event.contains(" beamlet")), "{debug:#?}");
    let named = reported("info,hyper_util=trace");
    assert!(named.iter().any(|event| event.contains(" hyper_util")), "{named:#?}");
}

#[test]
fn logs_are_lines_or_json_and_hold_no_value_and_no_secret() {
    let store = planes()
        .fault(tecton_emulator::Fault::rate(0.5, 7, tecton_emulator::FaultAnswer::status(503)))
        .start_blocking()
        .unwrap();
    let folder = folder_of(&config(&store.url()));
    for format in ["text", "json"] {
        let arguments = format!("--log debug --log-format {format} --progress never");
        let ended = Beamlet::run(&folder, &arguments)
            .stdin("{\"tailnum\":\"N-secret-plane\",\"who\":\"Ada\"}\n".repeat(50))
            .end();
        assert!(ended.stderr.contains("asking for rows again"), "{}", ended.stderr);
        for never in ["N-secret-plane", "Ada", KEY] {
            assert!(!ended.stderr.contains(never), "{}", ended.stderr);
        }
        if format == "json" {
            let lines = ended.stderr.lines().filter(|line| line.starts_with('{'));
            let lines: Vec<serde_json::Value> =
                lines.map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(lines.iter().any(|line| line["message"] == "asking for rows again"));
        }
    }
}

#[test]
fn an_invalid_log_filter_is_bad_usage() {
    let folder = Store::start().folder();
    for filter in ["[=", "verbose", "warning", "info,verbose", "hyper=loud", "hyper"] {
        let ended = Beamlet::run(&folder, &format!("--log {filter}")).end();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    }
    let ended = Beamlet::run(&folder, "").env("BEAMLET_LOG", "verbose").end();
    insta::assert_snapshot!(ended, @"
    error: --log verbose: `verbose` is no level; write off, error, warn, info, debug, trace, or TARGET=LEVEL such as hyper=debug
    exit code 2
    ");
}

#[test]
fn standard_error_of_a_handler_is_logged_with_its_name() {
    let folder = folder_of(&crate::support::library::evil_config("chatter", ""));
    let handler = crate::support::guests::evil().display().to_string();
    let arguments = format!("--handler {handler} --log info --progress never");
    let ended = Beamlet::run(&folder, &arguments).stdin("{\"tailnum\":\"N1\"}\n").end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("instance=")).collect();
    assert!(
        lines[0].contains(&format!("{:063}", 0)) && lines[0].contains("instance=1"),
        "{}",
        lines[0]
    );
    // 16 KiB of the 64 KB that it wrote.
    assert!((200..=257).contains(&lines.len()), "{}", lines.len());
}
