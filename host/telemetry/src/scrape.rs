//! `GET /metrics` for Prometheus.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{Encoder, Registry, TextEncoder};
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves a registry until the process ends, and returns the address that it listens at.
pub(crate) async fn serve(address: SocketAddr, registry: Registry) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            // A connection that cannot be accepted does not end the server.
            let Ok((stream, _)) = listener.accept().await else { continue };
            let registry = registry.clone();
            let service = service_fn(move |request| {
                let response = respond(&request, &registry);
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Ok(address)
}

fn respond(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let status = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            let encoder = TextEncoder::new();
            let mut text = Vec::new();
            if encoder.encode(&registry.gather(), &mut text).is_ok() {
                let mut response = Response::new(Full::new(text.into()));
                let format = header::HeaderValue::from_static(prometheus::TEXT_FORMAT);
                response.headers_mut().insert(header::CONTENT_TYPE, format);
                return response;
            }
            StatusCode::INTERNAL_SERVER_ERROR
        }
        (_, "/metrics") => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::NOT_FOUND,
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn ask(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn metrics_are_served_to_get_and_nothing_else_is() {
        let registry = Registry::new();
        let counter = prometheus::IntCounter::new("rows", "Rows").unwrap();
        counter.inc_by(7);
        registry.register(Box::new(counter)).unwrap();
        let address = serve("127.0.0.1:0".parse().unwrap(), registry).await.unwrap();
        let ask = |line: &'static str| tokio::task::spawn_blocking(move || ask(address, line));
        let metrics = ask("GET /metrics").await.unwrap();
        assert!(metrics.starts_with("HTTP/1.1 200") && metrics.contains("\nrows 7\n"), "{metrics}");
        assert!(ask("POST /metrics").await.unwrap().starts_with("HTTP/1.1 405"));
        assert!(ask("GET /").await.unwrap().starts_with("HTTP/1.1 404"));
    }
}
