//! A Redis of a test's own.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
