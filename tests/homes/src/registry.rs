//! Debian's `docker-registry`, on 127.0.0.1, until it is dropped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Who may use a registry that is not for everybody.
pub const USER: &str = "ada";
/// The user's password.
pub const PASSWORD: &str = "Wj4k-Pq8z";
/// Its bcrypt.
const HASH: &str = "$2b$04$ezx2crCs3o26h9LtY8z.F.LXbzSgQzGZa/OzPcg1/bvs2nBFd0rVG";

/// A registry of a test's own, empty at first.
pub struct Registry {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Registry {
    /// Starts a registry for everybody.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn start() -> Self {
        Registry::with("")
    }

    /// Starts a registry for [`USER`] with [`PASSWORD`], and nobody else.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn for_one() -> Self {
        Registry::with(&format!("{USER}:{HASH}"))
    }

    /// With these users, as `htpasswd` lists them; for everybody where there are none.
    fn with(users: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("htpasswd");
        std::fs::write(&list, users).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", list.display());
        let config = folder.path().join("config.yml");
        let mut text = format!(
            "version: 0.1\n\
             log: {{level: info, formatter: json, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '127.0.0.1:0'}}\n",
            folder.path().join("data").display()
        );
        if !users.is_empty() {
            text.push_str(&auth);
        }
        std::fs::write(&config, text).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry is installed: run `cargo xtask homes`");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = log.find_map(|line| {
            Some(line.split_once("listening on ")?.1.split('"').next()?.to_owned())
        });
        let Some(address) = listening else {
            panic!("docker-registry ended: {}", process.wait().unwrap())
        };
        // A full pipe would stop it.
        std::thread::spawn(move || log.for_each(drop));
        Registry { process, address, _folder: folder }
    }

    /// Its host and port.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
