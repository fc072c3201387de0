//! Debian's `docker-registry`, on 127.0.0.1, until it is dropped, and a client of it: the library
//! under `wkg`, with the media types and the config that `wkg` writes (the crate `oci-wasm` and
//! <https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>).

use oci_client::Client;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::secrets::RegistryAuth;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Who may use a registry that is not for everybody.
pub struct User {
    /// The name.
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
    /// The password's bcrypt.
    hash: &'static str,
}

impl User {
    /// The one user there is.
    pub const ADA: User = User {
        name: "ada",
        password: "Wj4k-Pq8z",
        hash: "$2b$04$ezx2crCs3o26h9LtY8z.F.LXbzSgQzGZa/OzPcg1/bvs2nBFd0rVG",
    };
}

/// The media type of a component's config and of a component.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const COMPONENT: &str = "application/wasm";

/// A registry of a test's own, empty at first.
pub struct Registry {
    process: Child,
    address: String,
    user: Option<User>,
    _folder: TempDir,
}

impl Registry {
    /// Starts a registry for everybody.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn start() -> Self {
        Registry::with(None)
    }

    /// Starts a registry for [`User::ADA`], and nobody else.
    ///
    /// # Panics
    /// If it does not listen.
    pub fn for_one() -> Self {
        Registry::with(Some(User::ADA))
    }

    /// For a user, or for everybody if there is none.
    fn with(user: Option<User>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("htpasswd");
        let users = user.as_ref().map(|user| format!("{}:{}", user.name, user.hash));
        std::fs::write(&list, users.unwrap_or_default()).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", list.display());
        let config = folder.path().join("config.yml");
        let mut text = format!(
            "version: 0.1\n\
             log: {{level: info, formatter: json, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '127.0.0.1:0'}}\n",
            folder.path().join("data").display()
        );
        if user.is_some() {
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
            .expect("docker-registry is installed: run `cargo xtask interop`");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listening = log.find_map(|line| {
            Some(line.split_once("listening on ")?.1.split('"').next()?.to_owned())
        });
        let Some(address) = listening else {
            panic!("docker-registry ended: {}", process.wait().unwrap())
        };
        // A full pipe would stop it.
        std::thread::spawn(move || log.for_each(drop));
        Registry { process, address, user, _folder: folder }
    }

    /// Publishes a component, or what is said to be one, under a reference by tag.
    ///
    /// # Panics
    /// If the registry does not take it.
    pub fn push(&self, reference: &str, component: Vec<u8>) {
        let digest = Sha256::digest(&component);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let config = json!({
            "created": "2026-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [format!("sha256:{digest}")],
        });
        let config = Config::new(config.to_string(), CONFIG.to_owned(), None);
        let layers = [ImageLayer::new(component, COMPONENT.to_owned(), None)];
        let reference = reference.parse().unwrap();
        let (client, auth) = self.client();
        block_on(client.push(&reference, &layers, config, &auth, None)).unwrap();
    }

    /// The component under a reference.
    ///
    /// # Panics
    /// If there is none.
    pub fn pull(&self, reference: &str) -> Vec<u8> {
        let reference = reference.parse().unwrap();
        let (client, auth) = self.client();
        let pulled = block_on(client.pull(&reference, &auth, vec![COMPONENT])).unwrap();
        assert_eq!(pulled.config.media_type, CONFIG);
        let [layer] = pulled.layers.as_slice() else { panic!("not one layer") };
        layer.data.to_vec()
    }

    fn client(&self) -> (Client, RegistryAuth) {
        // Its client is built with TLS, which wants to know whose, though it speaks none here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        let auth = self.user.as_ref().map_or(RegistryAuth::Anonymous, |user| {
            RegistryAuth::Basic(user.name.to_owned(), user.password.to_owned())
        });
        (Client::new(config), auth)
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

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
