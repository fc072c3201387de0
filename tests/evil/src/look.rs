//! Everything that a program may try in order to learn where it runs.

use std::fmt::Debug;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};

/// What was tried, and what came of it, a line each.
pub(crate) fn look_around() -> String {
    let mut stdin = Vec::new();
    let found = [
        told("list /", std::fs::read_dir("/").map(Iterator::count)),
        told("list .", std::fs::read_dir(".").map(Iterator::count)),
        told("read /etc/passwd", std::fs::read("/etc/passwd").map(|text| text.len())),
        told("write /tmp/evil", std::fs::write("/tmp/evil", "evil")),
        told("connect", TcpStream::connect("127.0.0.1:1").map(drop)),
        told("listen", TcpListener::bind("127.0.0.1:0").map(drop)),
        told("bind udp", UdpSocket::bind("127.0.0.1:0").map(drop)),
        told(
            "resolve localhost",
            std::net::ToSocketAddrs::to_socket_addrs("localhost:1").map(drop),
        ),
        told("read stdin", std::io::stdin().read_to_end(&mut stdin)),
        format!("environment: {:?}", std::env::vars_os().collect::<Vec<_>>()),
        format!("arguments: {:?}", std::env::args_os().collect::<Vec<_>>()),
    ];
    println!("this is not for the standard output of the host");
    found.join("\n")
}

fn told<T: Debug>(what: &str, result: std::io::Result<T>) -> String {
    match result {
        Ok(found) => format!("{what}: {found:?}"),
        Err(error) => format!("{what}: refused, {:?}", error.kind()),
    }
}
