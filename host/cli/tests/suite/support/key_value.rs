//! A store with the protocol of `examples/key-value`: `POST /lookup` with keys.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The token that the store takes.
pub const TOKEN: &str = "Hj5n-Bk8s-Vc3x-Pt6r";

/// A running store, on a thread of its own; it ends with the test.
pub struct KeyValueStore {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyValueStore {
    /// A store that knows the keys `k0` to `k11`.
    pub fn start() -> Self {
        KeyValueStore::of(twelve())
    }

    /// A store that knows these keys, with the fields of each.
    pub fn of(values: Map<String, Value>) -> Self {
        let values = Arc::new(values);
        let (stop, stopped) = oneshot::channel();
        let (sender, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = serve(listener, values) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = address.recv().unwrap();
        KeyValueStore { address, stop: Some(stop), thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for KeyValueStore {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn serve(listener: TcpListener, values: Arc<Map<String, Value>>) {
    let open = Arc::new(AtomicI64::new(0));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (open, values) = (open.clone(), values.clone());
        let service = service_fn(move |request| answer(request, open.clone(), values.clone()));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        // A client may go away in the middle of anything.
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn answer(
    request: Request<Incoming>,
    open: Arc<AtomicI64>,
    values: Arc<Map<String, Value>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let respond = |status, body: Value| {
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        Ok(response)
    };
    let authorized = request
        .headers()
        .get("authorization")
        .is_some_and(|value| value.as_bytes() == format!("Bearer {TOKEN}").as_bytes());
    if !authorized {
        return respond(StatusCode::UNAUTHORIZED, json!({ "message": "who are you?" }));
    }
    let path = request.uri().path().to_owned();
    // What a handler asks for with GET stands in the query.
    let asks_with_get = request.method() == Method::GET
        && request.uri().query() == Some("reason=finished")
        && !["content-length", "transfer-encoding"]
            .iter()
            .any(|name| request.headers().contains_key(*name));
    let Ok(body) = request.into_body().collect().await else {
        return respond(StatusCode::BAD_REQUEST, json!({ "message": "the request broke off" }));
    };
    match path.as_str() {
        "/lookup" => match lookup(&body.to_bytes(), &values) {
            Some(values) => respond(StatusCode::OK, json!({ "values": values })),
            None => respond(StatusCode::BAD_REQUEST, json!({ "message": "that is no lookup" })),
        },
        // How many bundles are open, for a handler that reports them.
        "/open" => respond(StatusCode::OK, json!(open.fetch_add(1, Ordering::SeqCst) + 1)),
        "/close" if !asks_with_get => {
            respond(StatusCode::METHOD_NOT_ALLOWED, json!({ "message": "bundles end with a GET" }))
        }
        "/close" => respond(StatusCode::OK, json!(open.fetch_sub(1, Ordering::SeqCst) - 1)),
        _ => respond(StatusCode::NOT_FOUND, json!({ "message": "there is nothing here" })),
    }
}

/// The values of the keys that are known.
fn lookup(body: &[u8], values: &Map<String, Value>) -> Option<Map<String, Value>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let keys = body.get("keys")?.as_array()?.iter().filter_map(Value::as_str);
    Some(keys.filter_map(|key| Some((key.to_owned(), values.get(key)?.clone()))).collect())
}

fn twelve() -> Map<String, Value> {
    let values = |n: i64| {
        json!({
            "n": n,
            "t": format!("text {n}"),
            "tags": [format!("tag {n}"), null],
            "x": n as f64 / 4.0,
            "even": n % 2 == 0,
        })
    };
    keys().into_iter().zip(0..).map(|(key, n)| (key, values(n))).collect()
}

/// The keys that the store knows.
pub fn keys() -> Vec<String> {
    (0..12).map(|n| format!("k{n}")).collect()
}

/// The same as the rows of a file.
pub fn keys_ndjson() -> String {
    keys().iter().map(|key| format!("{}\n", json!({ "key": key, "own": 1 }))).collect()
}
