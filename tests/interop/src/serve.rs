//! `wasmtime serve`, as a process that ends with its test.

use crate::http::{Answer, Connection, Request};
use crate::store::KEY;
use crate::{built, tool};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A component that is being served.
pub struct Serve {
    child: Child,
    address: SocketAddr,
    /// Where a connection makes it come to its end.
    shutdown: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    reading: Option<JoinHandle<()>>,
}

impl Serve {
    /// Serves the Tecton handler in the edge with a configuration.
    ///
    /// # Panics
    /// If it does not start.
    pub fn edge(config: &Value) -> Self {
        Serve::edge_with(config, &[])
    }

    /// The same with more options of `wasmtime serve`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn edge_with(config: &Value, options: &[&str]) -> Self {
        let mut command = Command::new(tool("wasmtime"));
        command.args(["serve", "-S", "cli", "--addr", "127.0.0.1:0"]);
        command.args(["--shutdown-addr", "127.0.0.1:0"]);
        command.args(["--env", "BEAMLET_CONFIG", "--env", "TECTON_API_KEY"]).args(options);
        command.env("BEAMLET_CONFIG", config.to_string()).env("TECTON_API_KEY", KEY);
        Serve::start(command.arg(built("components/tecton-edge.wasm")))
    }

    /// Starts a command that serves.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut address_after = |before: &str| -> SocketAddr {
            let line = stderr.next().unwrap().unwrap();
            let address = line.strip_prefix(before).unwrap_or_else(|| panic!("{line}"));
            address.trim_end_matches('/').parse().unwrap()
        };
        let shutdown = address_after("Listening for shutdown on tcp://");
        let address = address_after("Serving HTTP on http://");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let hears = lines.clone();
        let reading = std::thread::spawn(move || {
            stderr.map_while(Result::ok).for_each(|line| hears.lock().unwrap().push(line));
        });
        Serve { child, address, shutdown, lines, reading: Some(reading) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection.
    ///
    /// # Panics
    /// If nobody listens.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a request over a connection of its own.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn ask(&self, request: &Request) -> Answer {
        let mut connection = self.connect();
        connection.send(&request.bytes());
        connection.answer()
    }

    /// `GET` of a path.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(&Request::new("GET", path))
    }

    /// `POST /enrich` of a JSON array.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn enrich(&self, rows: impl AsRef<[u8]>) -> Answer {
        self.ask(&Request::rows("application/json").body(rows))
    }

    /// Lets it come to its end; what it wrote to standard error for requests.
    ///
    /// # Panics
    /// If it cannot be stopped.
    pub fn end(mut self) -> Vec<String> {
        drop(TcpStream::connect(self.shutdown).unwrap());
        self.child.wait().unwrap();
        self.stop();
        let mut lines = std::mem::take(&mut *self.lines.lock().unwrap());
        lines.retain(|line| !line.starts_with("Waiting for child tasks"));
        lines
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reading.take().map(JoinHandle::join);
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.stop();
    }
}
