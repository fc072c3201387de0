//! A feature store of the planes in `data/`, and configurations that ask it.

use super::folder::Folder;
use std::path::PathBuf;
use tecton_emulator::{Background, Builder, Emulator, Fault, FaultAnswer, RepositoryFile};

/// The key that the store knows. Nobody may ever read it: no part of it occurs in a word.
pub const KEY: &str = "Zq7w-Xv9p-Lm2d-Rt4k";

/// A file of `data/`.
pub fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../data")).join(name)
}

/// An emulator that serves `data/tecton-repository.toml`, not yet started.
pub fn planes() -> Builder {
    let file = RepositoryFile::read(data("tecton-repository.toml")).unwrap();
    let RepositoryFile { repository, settings } = file;
    Emulator::builder(repository.api_key(KEY)).settings(settings)
}

/// A running store.
pub struct Store(Background);

impl Store {
    pub fn start() -> Self {
        Store(planes().start_blocking().unwrap())
    }

    /// A store that answers every request in this way.
    pub fn that_answers(fault: impl Into<FaultAnswer>) -> Self {
        Store(planes().fault(Fault::every(fault.into())).start_blocking().unwrap())
    }

    pub fn url(&self) -> String {
        self.0.url()
    }

    pub fn requests(&self) -> u64 {
        self.0.stats().requests
    }

    /// A folder with a `beamlet.toml` that asks this store.
    pub fn folder(&self) -> Folder {
        folder_of(&config(&self.url()))
    }
}

/// A folder with this `beamlet.toml`.
pub fn folder_of(config: &str) -> Folder {
    let folder = Folder::new();
    folder.write("beamlet.toml", config);
    folder
}

/// A good configuration for the store at this URL.
pub fn config(url: &str) -> String {
    format!(
        "[connection]
url = '{url}'
default_workspace_name = 'prod'
api_key = '{KEY}'

[retrieval]
feature_service_name = 'planes_features'
entity_id = 'tailnum'
"
    )
}
