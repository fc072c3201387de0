//! How many entities a second the emulator answers: 10 a request, 8 connections that wait for each
//! answer, client and server on one machine. Prints the rate, and the CPU time of either side; then
//! how late answers are that are delayed by 5 ms, 64 in flight.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tecton_emulator::{
    DataType, Emulator, Endpoint, FeatureService, FeatureView, Repository, Workspace,
};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 8;
const ENTITIES_PER_REQUEST: usize = 10;
const PLANES: usize = 3_000;

fn main() -> anyhow::Result<()> {
    // `cargo test --all-targets` runs this too, without the flag: it only has to work then.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let seconds = if measured { 3.0 } else { 0.1 };
    for (name, metadata) in [
        ("features alone", ""),
        (
            "with names, types and statuses",
            r#","metadataOptions":{"includeNames":true,"includeDataTypes":true,"includeServingStatus":true}"#,
        ),
    ] {
        throughput(name, &bodies(metadata), Duration::from_secs_f64(seconds))?;
    }
    lateness(Duration::from_millis(5), 64, &bodies(""), Duration::from_secs_f64(seconds))
}

fn lateness(
    latency: Duration,
    connections: usize,
    bodies: &Arc<[Bytes]>,
    span: Duration,
) -> anyhow::Result<()> {
    let emulator = Emulator::builder(repository()).latency(latency).start_blocking()?;
    let mut times = drive_all(emulator.address(), bodies, connections, span)?;
    times.sort_unstable();
    let late = |percent: usize| {
        let time = times[(times.len() - 1) * percent / 100];
        time.saturating_sub(latency).as_secs_f64() * 1e3
    };
    println!(
        "{connections} in flight, delayed by {latency:?}: {} answers, late by {:.2} ms (p50), {:.2} ms (p99)",
        times.len(),
        late(50),
        late(99),
    );
    Ok(())
}

/// Drives so many connections for a time; gives how long each answer took.
fn drive_all(
    address: SocketAddr,
    bodies: &Arc<[Bytes]>,
    connections: usize,
    span: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let until = Instant::now() + span;
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for client in 0..connections {
            let first = client * bodies.len() / connections;
            clients.spawn(drive(address, Arc::clone(bodies), first, until));
        }
        let mut times = Vec::new();
        while let Some(ended) = clients.join_next().await {
            times.extend(ended??);
        }
        Ok(times)
    })
}

fn throughput(name: &str, bodies: &Arc<[Bytes]>, span: Duration) -> anyhow::Result<()> {
    let emulator = Emulator::builder(repository()).start_blocking()?;
    let is_server = |thread: &str| thread.starts_with("tecton-emulator");
    let client_before = cpu_seconds(|thread| !is_server(thread));
    let begun = Instant::now();
    let answers = drive_all(emulator.address(), bodies, CONNECTIONS, span)?.len() as f64;
    let seconds = begun.elapsed().as_secs_f64();
    let server = cpu_seconds(is_server);
    let client = cpu_seconds(|thread| !is_server(thread)) - client_before;
    println!(
        "{name}: {:.0} entities a second, {:.0} requests a second; \
         CPU {:.2} of the server, {:.2} of the client, {:.1} µs of the server a request",
        answers * ENTITIES_PER_REQUEST as f64 / seconds,
        answers / seconds,
        server / seconds,
        client / seconds,
        server * 1e6 / answers,
    );
    Ok(())
}

/// One connection: a request, its answer, the next request.
async fn drive(
    address: SocketAddr,
    bodies: Arc<[Bytes]>,
    first: usize,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut times = Vec::new();
    for body in bodies.iter().cycle().skip(first) {
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        let request = Request::post(Endpoint::GetFeaturesBatch.path())
            .header("host", "localhost")
            .header("authorization", "Tecton-key bench")
            .body(Full::new(body.clone()))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status == 200, "answered with {status}: {body:?}");
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn repository() -> Repository {
    let mut csv = "tailnum,year,type,manufacturer,model,engines,seats,speed,engine\n".to_owned();
    for plane in 0..PLANES {
        csv.push_str(&format!(
            "{},{},Fixed wing multi engine,AIRBUS INDUSTRIE,A320-214,2,182,,Turbo-fan\n",
            tailnum(plane),
            1_970 + plane % 40,
        ));
    }
    let view = FeatureView::of_csv("planes", csv)
        .feature("year", DataType::Int64)
        .feature("type", DataType::String)
        .feature("manufacturer", DataType::String)
        .feature("model", DataType::String)
        .feature("engines", DataType::Int64)
        .feature("seats", DataType::Int64)
        .feature("speed", DataType::Int64)
        .feature("engine", DataType::String);
    let service =
        FeatureService::new("planes_features").join_key("tailnum", DataType::String).view(view);
    Repository::new().api_key("bench").workspace(Workspace::live("prod").service(service))
}

fn tailnum(plane: usize) -> String {
    format!("N{plane:05}")
}

fn bodies(metadata: &str) -> Arc<[Bytes]> {
    let planes: Vec<usize> = (0..PLANES).collect();
    planes
        .chunks(ENTITIES_PER_REQUEST)
        .map(|planes| {
            let entities: Vec<String> = planes
                .iter()
                .map(|plane| format!(r#"{{"joinKeyMap":{{"tailnum":"{}"}}}}"#, tailnum(*plane)))
                .collect();
            let entities = entities.join(",");
            Bytes::from(format!(
                r#"{{"params":{{"workspaceName":"prod","featureServiceName":"planes_features","requestData":[{entities}]{metadata}}}}}"#
            ))
        })
        .collect()
}

/// CPU seconds of this process's threads whose name is of the kind; 0 where there is no /proc.
fn cpu_seconds(kind: impl Fn(&str) -> bool) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    let ticks = threads.flatten().filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
        let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = kind(name).then(|| fields.split_whitespace().skip(11))?;
        let mut next = || fields.next()?.parse::<f64>().ok();
        Some(next()? + next()?)
    });
    ticks.sum::<f64>() / TICKS_PER_SECOND
}
