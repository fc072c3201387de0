//! Where a destination's name may lead, over sockets.
#![allow(clippy::unwrap_used)]

use beamlet_egress::{
    Allowed, Destination, Egress, EgressError, PrivateAddresses, Secrets, Timeouts,
};
use bytes::Bytes;
use http_body_util::Empty;
use std::io::{Read, Write};
use std::net::TcpListener;

/// The status of a server on this machine, asked under this host, or why there is none; and what is
/// told of refusals.
async fn ask(host: &str, private: PrivateAddresses) -> (Result<u16, EgressError>, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{host}:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        stream.write_all(b"HTTP/1.1 204 OK\r\nconnection: close\r\n\r\n").unwrap();
    });
    let allowed: Allowed = Destination::of_text(&url).into_iter().collect();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default());
    let egress = egress.private_addresses(private);
    let request = http::Request::get(&url).body(Empty::<Bytes>::new()).unwrap();
    let answer = egress.send(request, Timeouts::default()).await;
    (answer.map(|answer| answer.status().as_u16()), egress.refused())
}

#[tokio::test]
async fn a_name_leads_to_this_machine_unless_that_is_denied() {
    let (answer, refused) = ask("localhost", PrivateAddresses::Allow).await;
    assert_eq!((answer.unwrap(), refused.len()), (204, 0));
    let (answer, refused) = ask("localhost", PrivateAddresses::Deny).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, EgressError::Address(_)), "{error:?}");
    assert!(refused[0].starts_with("localhost is at "), "{refused:?}");
    assert!(refused[0].contains("a loopback address"), "{refused:?}");
}

#[tokio::test]
async fn an_address_that_the_user_wrote_is_asked() {
    let (answer, _) = ask("127.0.0.1", PrivateAddresses::Deny).await;
    assert_eq!(answer.unwrap(), 204);
}

#[tokio::test]
async fn metadata_services_are_never_asked() {
    for host in ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "2852039166"] {
        let (answer, refused) = ask(host, PrivateAddresses::Allow).await;
        let error = answer.unwrap_err();
        assert!(matches!(error, EgressError::Address(_)), "{host}: {error:?}");
        assert!(refused[0].ends_with("no handler is let there"), "{refused:?}");
    }
}
