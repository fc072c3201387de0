//! How long a request waits, for what, and what it says when that was too long. No test measures a
//! time: each allows a minute for all but the one thing that it is about.
#![allow(clippy::unwrap_used)]

use beamlet_egress::{Destination, Egress, EgressError, Secrets, Timeouts};
use bytes::Bytes;
use http_body_util::Empty;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Nobody accepts, but the system does, until its queue is full: a connection comes about, and
/// no byte.
fn silent() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Its queue is full, so that no connection comes about; what fills it is kept.
struct Full {
    listener: tokio::net::TcpListener,
    _filling: Vec<TcpStream>,
}

impl Full {
    fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let filling: Vec<TcpStream> = std::iter::from_fn(connect).take(100).collect();
        assert!(filling.len() < 100, "the queue takes any number");
        Full { listener, _filling: filling }
    }
}

/// Where a request with these times ends; the client itself would wait a minute for everything.
async fn ends(scheme: &str, at: SocketAddr, connect: Duration, answer: Duration) -> EgressError {
    let url = format!("{scheme}://{at}/");
    let allowed = Destination::of_text(&url).into_iter().collect();
    let most = Timeouts::default().connect(MINUTE).first_byte(MINUTE).between_bytes(MINUTE);
    let egress = Egress::new(allowed, Secrets::default(), most);
    let request = http::Request::post(url).body(Empty::<Bytes>::new()).unwrap();
    let timeouts = most.connect(connect).first_byte(answer);
    egress.send(request, timeouts).await.err().unwrap()
}

#[tokio::test]
async fn a_requests_own_time_to_connect_ends_it_before_the_clients_does() {
    let full = Full::new();
    let error = ends("http", full.listener.local_addr().unwrap(), SHORT, MINUTE).await;
    assert!(matches!(error, EgressError::ConnectTimeout), "{error}");
}

#[tokio::test]
async fn the_handshake_of_tls_is_a_part_of_connecting() {
    let silent = silent();
    let error = ends("https", silent.local_addr().unwrap(), SHORT, MINUTE).await;
    assert!(matches!(error, EgressError::ConnectTimeout), "{error}");
}

#[tokio::test]
async fn a_store_that_is_connected_and_says_nothing_is_no_connect_time_out() {
    let silent = silent();
    let error = ends("http", silent.local_addr().unwrap(), MINUTE, SHORT).await;
    assert!(matches!(error, EgressError::ReadTimeout), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_late_for_want_of_a_connection_is_a_connect_time_out() {
    let full = Full::new();
    let error = ends("http", full.listener.local_addr().unwrap(), MINUTE, SHORT).await;
    assert!(matches!(error, EgressError::ConnectTimeout), "{error}");
}

#[tokio::test]
async fn one_client_keeps_the_time_of_each_of_its_requests() {
    let silent = silent();
    let at = silent.local_addr().unwrap();
    let url = format!("https://{at}/");
    let allowed = Destination::of_text(&url).into_iter().collect();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default());
    let request = || http::Request::post(&url).body(Empty::<Bytes>::new()).unwrap();
    let times =
        |connect| Timeouts::default().connect(connect).first_byte(MINUTE).between_bytes(MINUTE);
    tokio::select! {
        ended = egress.send(request(), times(MINUTE)) => panic!("{:?}", ended.err()),
        ended = egress.send(request(), times(SHORT)) => {
            assert!(matches!(ended, Err(EgressError::ConnectTimeout)));
        }
    }
}
