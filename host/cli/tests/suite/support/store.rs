//! A feature store with the planes in `data/`, and configurations for it.

use super::beamlet::Folder;
use std::path::PathBuf;
use tecton_emulator::{
    Background, Builder, DataType, Emulator, Endpoint, Fault, FaultAnswer, FeatureService,
    FeatureView, Repository, RepositoryFile, Workspace,
};

/// The key that the store knows. Nobody may ever read it: no part of it occurs in a word.
pub const KEY: &str = "Zq7w-Xv9p-Lm2d-Rt4k";

/// A file of `data/`.
pub fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data")).join(name)
}

/// An emulator that serves `data/tecton-repository.toml`, not yet started.
pub fn planes() -> Builder {
    let file = RepositoryFile::read(data("tecton-repository.toml")).unwrap();
    let RepositoryFile { repository, settings } = file;
    Emulator::builder(repository.api_key(KEY)).settings(settings)
}

/// Types that a request context may have, as the fields `c0` and so on of the [`shop`].
const CONTEXT: [&str; 8] = [
    "int64",
    "float32",
    "boolean",
    "string",
    "timestamp",
    "array<int64>",
    "struct<a: int64>",
    "map<string, int64>",
];

/// An emulator of the service `shop` with two join keys, request context of every type, and a
/// computed feature, not yet started. It knows the user `u1`, and the ad 5417 of hers.
pub fn shop() -> Builder {
    let users = FeatureView::of_csv("users", "user_id,visits,name\nu1,37,Ada\nu2,,Bob\n")
        .keys(["user_id"])
        .feature("visits", DataType::Int64)
        .feature("name", DataType::String);
    let clicks = FeatureView::of_csv("clicks", "user_id,ad_id,count\nu1,5417,3\n")
        .feature("count", DataType::Int64);
    let amount =
        FeatureView::new("amount").computed("is_large", DataType::Boolean, "amount > 100.0");
    let mut service = FeatureService::new("shop")
        .join_key("user_id", DataType::String)
        .join_key("ad_id", DataType::Int64)
        .request_context("amount", DataType::Float64);
    for (at, of) in CONTEXT.iter().enumerate() {
        service = service.request_context(&format!("c{at}"), of.parse().unwrap());
    }
    serving(service.view(users).view(clicks).view(amount))
}

/// An emulator of one service in the workspace `prod`, not yet started.
pub fn serving(service: FeatureService) -> Builder {
    let workspace = Workspace::live("prod").service(service);
    let repository = Repository::new().api_key(KEY).api_key_for("key-to-nothing", []);
    Emulator::builder(repository.workspace(workspace))
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

    /// A store that answers in this way to questions for metadata, and rightly to all others.
    pub fn of_metadata_that_answers(fault: impl Into<FaultAnswer>) -> Self {
        let fault = Fault::every(fault.into()).on(Endpoint::Metadata);
        Store(planes().fault(fault).start_blocking().unwrap())
    }

    pub fn of(builder: Builder) -> Self {
        Store(builder.start_blocking().unwrap())
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
