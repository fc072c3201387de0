//! Servers of a test's own: one that answers every request in the same way, for answers that the
//! emulator does not give, and a Redis.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Answers by a function of the request's head, on a thread of its own, until it is dropped.
pub struct Server {
    address: std::net::SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

/// The request that ends the server.
const STOP: &[u8] = b"STOP\r\n\r\n";

/// Where it stands in an answer, the server waits a little: what follows comes by itself.
pub const PAUSE: &str = "\x0c";

impl Server {
    pub fn that_answers(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let hears = received.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                if request.as_bytes() == STOP {
                    return;
                }
                hears.lock().unwrap().push(request.clone());
                stream.set_nodelay(true).unwrap();
                for piece in answer(&request).split(PAUSE) {
                    // The client may have gone away.
                    let _ = stream.write_all(piece.as_bytes());
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        Server { address, received, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, whole.
    pub fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let _ = stream.write_all(STOP);
        }
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A request: its head, and the body that its head announces.
fn read(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut byte = [0];
    while !request.ends_with("\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        request.push(byte[0].into());
    }
    let length = header(&request, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = stream.read_exact(&mut body);
    request + &String::from_utf8_lossy(&body)
}

/// The value of a header of a request.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next()?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// An answer, on a connection that ends with it.
pub fn answer(status: &str, body: &str) -> String {
    let length = body.replace(PAUSE, "").len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// The URL of a port at which nobody listens any more.
pub fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Debian's `redis-tools` has the server under this name; it is one when it is called so.
const SERVERS: [&str; 2] = ["redis-server", "redis-check-rdb"];

/// A running server. It ends with the test, and keeps nothing on the disk.
pub struct Redis {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Redis {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Redis takes no port 0: another may take the port between its choice and its use.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = spawn(folder.path(), port);
            let started = Instant::now();
            while child.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Redis { child, port, _folder: folder };
                }
                assert!(started.elapsed() < Duration::from_secs(20), "redis does not listen");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        panic!("redis ended at once, on every port");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// What a command of one line answers, raw.
    pub fn ask(&self, command: &str) -> String {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &std::path::Path, port: u16) -> Child {
    for server in SERVERS {
        let mut command = Command::new(server);
        command.arg0("redis-server").current_dir(folder);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--save", "", "--appendonly", "no"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(child) = command.spawn() {
            return child;
        }
    }
    panic!("there is no redis-server: `apt-get install redis-tools` brings it");
}
