//! The handler over the emulator: bundles of rows, over sockets, without a sandbox.

use beamlet_guest::transport::{MAX_BODY_BYTES, decoded};
use beamlet_guest::{
    Batch, Bundle, Column, Counters, Enriched, Error, Handler, Request, Response, Transport,
    TransportError, Values,
};
use beamlet_tecton::Tecton;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tecton_emulator::{
    Background, DataType, Emulator, FeatureService, FeatureView, Repository, Settings, Workspace,
};

/// Sends each request over a connection of its own, and waits for the answer.
#[derive(Default)]
pub(crate) struct Sockets {
    /// The paths and bodies that were sent.
    pub(crate) sent: Mutex<Vec<(String, Value)>>,
}

impl Transport for Sockets {
    type Call = Result<Response, TransportError>;

    fn send(&self, request: Request) -> Self::Call {
        let body = serde_json::from_slice(&request.body).unwrap();
        self.sent.lock().unwrap().push((request.target.path.clone(), body));
        exchange(&request)
            .unwrap_or_else(|error| Err(TransportError::Unreachable(error.to_string())))
    }

    async fn any(&self, calls: &mut Vec<Self::Call>) -> (usize, Result<Response, TransportError>) {
        (0, calls.swap_remove(0))
    }
}

fn exchange(request: &Request) -> io::Result<Result<Response, TransportError>> {
    let (target, body) = (&request.target, &request.body);
    let mut stream = TcpStream::connect(&target.authority)?;
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
        request.method,
        request.path_with_query(),
        target.authority,
        body.len()
    );
    for (name, value) in &target.headers {
        head.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map(str::to_owned)
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (retry_after, location) = (header("retry-after"), header("location"));
    let encoding = header("content-encoding").unwrap_or_default();
    let body = decoded(answer[end + 4..].to_vec(), &encoding, MAX_BODY_BYTES);
    Ok(body.map(|body| Response { status, retry_after, location, body }))
}

/// A feature service `fs` with the key `user_id` and the features of users `u1`, `u2` and `u3`.
pub(crate) fn service() -> FeatureService {
    let users = FeatureView::of_csv("users", "user_id,visits\nu1,1\nu2,2\nu3,3\n")
        .feature("visits", DataType::Int64);
    FeatureService::new("fs").join_key("user_id", DataType::String).view(users)
}

/// An emulator of that service.
pub(crate) fn store(service: FeatureService, settings: Settings) -> Background {
    let workspace = Workspace::live("prod").service(service);
    let repository = Repository::new().api_key("demo-key").workspace(workspace);
    Emulator::builder(repository).settings(settings).start_blocking().unwrap()
}

/// A handler of `fs`, with these members of `retrieval` and `batching`.
pub(crate) fn handler(url: &str, retrieval: Value, batching: Value) -> Arc<Tecton> {
    let mut config = json!({
        "connection": { "url": url, "api_key": "demo-key" },
        "retrieval": {
            "feature_service_name": "fs", "workspace_name": "prod", "entity_id": "user_id",
        },
        "batching": batching,
    });
    for (name, value) in retrieval.as_object().unwrap() {
        config["retrieval"][name] = value.clone();
    }
    Arc::new(Tecton::new(&config).unwrap_or_else(|problems| panic!("{problems:?}")))
}

/// What a bundle of rows came to, and what was sent for it.
pub(crate) struct Ran {
    pub(crate) answers: Result<Vec<Enriched>, Error>,
    pub(crate) sent: Vec<(String, Value)>,
}

/// Runs a bundle of these columns.
pub(crate) fn run(handler: &Arc<Tecton>, columns: Vec<Column>) -> Ran {
    let transport = Arc::new(Sockets::default());
    let mut bundle = Bundle::new(handler.clone(), transport.clone(), Arc::new(Counters::default()));
    let rows = columns[0].values.len() as u32;
    let answers = now(async {
        let mut answers = bundle.process(&Batch { rows, columns }).await?;
        answers.extend(bundle.finish().await?);
        Ok(answers)
    });
    let sent = transport.sent.lock().unwrap().clone();
    Ran { answers, sent }
}

impl Ran {
    /// Of each row, `ok`, `missing`, or why it failed.
    pub(crate) fn rows(&self) -> Vec<String> {
        let answers = match &self.answers {
            Ok(answers) => answers,
            Err(error) => return vec![format!("the bundle: {}", error.message)],
        };
        let row = |answer: &Enriched, row: u32| {
            let failure = answer.failures.iter().find(|failure| failure.row == row);
            match failure {
                Some(failure) => failure.error.message.clone(),
                None if answer.missing.contains(&row) => "missing".to_owned(),
                None => "ok".to_owned(),
            }
        };
        let rows = |answer: &'_ Enriched| {
            (0..answer.fields.rows).map(|at| row(answer, at)).collect::<Vec<_>>()
        };
        answers.iter().flat_map(rows).collect()
    }

    /// The request context of each entity that was sent.
    pub(crate) fn contexts(&self) -> Vec<Value> {
        let batches = self.sent.iter().filter(|(path, _)| path.ends_with("get-features-batch"));
        let entities =
            batches.flat_map(|(_, body)| body["params"]["requestData"].as_array().unwrap().clone());
        entities.map(|entity| entity["requestContextMap"].clone()).collect()
    }

    /// How many entities each request asked for.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let batches = self.sent.iter().filter(|(path, _)| path.ends_with("get-features-batch"));
        batches.map(|(_, body)| body["params"]["requestData"].as_array().unwrap().len()).collect()
    }
}

/// A column of texts.
pub(crate) fn texts(name: &str, values: &[&str]) -> Column {
    let values = Values::Strings(values.iter().collect());
    Column { name: name.to_owned(), values, nulls: Vec::new() }
}

/// A column of these values.
pub(crate) fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values, nulls: Vec::new() }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store answers at once"),
    }
}
