//! A Tecton emulator that serves the planes in `data/`.

use crate::root;
use serde_json::{Value, json};
use tecton_emulator::{Background, Builder, Emulator, Fault, FaultAnswer, RepositoryFile};

/// The key that the store knows. Nobody may ever read it: no part of it occurs in a word.
pub const KEY: &str = "Zq7w-Xv9p-Lm2d-Rt4k";

/// The environment variable that the configurations here take the key from.
const VARIABLE: &str = "TECTON_API_KEY";

/// An emulator of the planes, not yet started.
///
/// # Panics
/// If `data/` is not as it was.
pub fn planes() -> Builder {
    let file = RepositoryFile::read(root().join("data/tecton-repository.toml")).unwrap();
    let RepositoryFile { repository, settings } = file;
    Emulator::builder(repository.api_key(KEY)).settings(settings)
}

/// A running store.
pub struct Store(Background);

impl Default for Store {
    fn default() -> Self {
        Store::of(planes())
    }
}

impl Store {
    /// Starts an emulator.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn of(builder: Builder) -> Self {
        Store(builder.start_blocking().unwrap())
    }

    /// A store that answers every request in this way.
    pub fn that_answers(fault: impl Into<FaultAnswer>) -> Self {
        Store::of(planes().fault(Fault::every(fault.into())))
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The requests that it was asked so far.
    pub fn requests(&self) -> u64 {
        self.0.stats().requests
    }

    /// Answers in this way from now on.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.0.set_faults(faults);
    }

    /// A good configuration, with the key from the environment.
    pub fn config(&self) -> Value {
        config(&self.url())
    }
}

/// A configuration for the planes at this URL, with the key from the environment.
pub(crate) fn config(url: &str) -> Value {
    json!({
        "connection": {
            "url": url,
            "default_workspace_name": "prod",
            "api_key": { "env": VARIABLE },
        },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
    })
}
