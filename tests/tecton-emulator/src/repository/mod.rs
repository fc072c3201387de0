//! The description of what the emulator serves: workspaces, their feature services, the views
//! behind these, and who may read them. It comes from a TOML file or from Rust. A
//! [`Catalog`](crate::catalog) is made from it.

mod declaration;
mod error;
mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::data_type::{DataType, Field};

pub use error::RepositoryError;
pub use file::RepositoryFile;

/// Everything that one emulator serves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repository {
    /// The file it was read from: errors name it, and paths of sources are relative to its folder.
    pub origin: Option<PathBuf>,
    /// The keys of clients.
    pub api_keys: Vec<ApiKey>,
    /// The workspaces.
    pub workspaces: Vec<Workspace>,
}

/// A key that clients send as `Authorization: Tecton-key <key>`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The secret itself.
    pub key: String,
    /// The workspaces that it may read; none given means all of them.
    #[serde(default)]
    pub workspaces: Option<Vec<String>>,
}

/// A workspace; only a live one serves features.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// The name that requests give as `workspaceName`.
    pub name: String,
    /// Whether it serves; default `true`.
    #[serde(default = "yes")]
    pub live: bool,
    /// Its feature services.
    #[serde(default, rename = "service")]
    pub services: Vec<FeatureService>,
}

/// A feature service: its keys, and the features that it returns.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureService {
    /// The name that requests give as `featureServiceName`.
    pub name: String,
    /// The join keys in the order that messages and metadata list them; `int64` or `string`.
    #[serde(default)]
    pub join_keys: Vec<Field>,
    /// The request-context keys, of any type.
    #[serde(default)]
    pub request_context: Vec<Field>,
    /// The views; their features in this order make the answer.
    #[serde(default, rename = "view")]
    pub views: Vec<FeatureView>,
}

/// A feature view: features that are stored under some of the service's join keys, or computed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureView {
    /// The first half of its features' names.
    pub name: String,
    /// The join keys that its rows are found by; none given means all of the service's.
    #[serde(default)]
    pub keys: Option<Vec<ViewKey>>,
    /// The rows; a view whose features are all computed needs none.
    #[serde(default)]
    pub source: Option<Source>,
    /// The source's column with each row's effective time.
    #[serde(default)]
    pub effective_time: Option<String>,
    /// Whether there is data in the online store; otherwise, every request is rejected with 404.
    /// Default `true`.
    #[serde(default = "yes")]
    pub materialized: bool,
    /// Whether its values come out of the serving cache: statuses begin with `CACHED_` and there is
    /// no effective time, unless the request says `readFromCache: false`. Default `false`.
    #[serde(default)]
    pub cached: bool,
    /// The features, in the order of the answer.
    #[serde(default)]
    pub features: Vec<Feature>,
}

/// A join key of a view and the column that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewKey {
    /// The join key's name in the service.
    pub name: String,
    /// The source's column.
    pub column: String,
}

/// Rows of a view: CSV with a header.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Where the CSV is.
    pub rows: Rows,
    /// The text of a cell that is null; default: the empty cell.
    pub null: String,
}

/// Where CSV text is.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// In a file, by a path relative to the repository file.
    File(PathBuf),
    /// In the repository itself.
    Text(String),
}

/// A feature; its full name is `view.feature`.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// The second half of its full name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Where its value comes from.
    pub value: FeatureValue,
    /// For `includeFeatureDescriptions`.
    pub description: Option<String>,
    /// For `includeFeatureTags`.
    pub tags: BTreeMap<String, String>,
}

/// Where a feature's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureValue {
    /// The view's source, in this column.
    Column(String),
    /// A CEL expression over the service's join keys and request-context keys.
    Expression(String),
}

fn yes() -> bool {
    true
}

impl Repository {
    /// An empty repository.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key that may read every workspace.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_keys.push(ApiKey { key: key.into(), workspaces: None });
        self
    }

    /// Adds a key that may read only these workspaces.
    pub fn api_key_for<const N: usize>(
        mut self,
        key: impl Into<String>,
        workspaces: [&str; N],
    ) -> Self {
        self.api_keys.push(ApiKey {
            key: key.into(),
            workspaces: Some(workspaces.map(str::to_owned).to_vec()),
        });
        self
    }

    /// Adds a workspace.
    pub fn workspace(mut self, workspace: Workspace) -> Self {
        self.workspaces.push(workspace);
        self
    }
}

impl Workspace {
    /// A live workspace without services.
    pub fn live(name: impl Into<String>) -> Self {
        Self { name: name.into(), live: true, services: Vec::new() }
    }

    /// A development workspace: requests to its services are rejected with 404.
    pub fn not_live(name: impl Into<String>) -> Self {
        Self { live: false, ..Self::live(name) }
    }

    /// Adds a feature service.
    pub fn service(mut self, service: FeatureService) -> Self {
        self.services.push(service);
        self
    }
}

impl FeatureService {
    /// A service without keys and views.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            join_keys: Vec::new(),
            request_context: Vec::new(),
            views: Vec::new(),
        }
    }

    /// Adds a join key; `data_type` is `int64` or `string`.
    pub fn join_key(mut self, name: &str, data_type: DataType) -> Self {
        self.join_keys.push(Field::new(name, data_type));
        self
    }

    /// Adds a request-context key.
    pub fn request_context(mut self, name: &str, data_type: DataType) -> Self {
        self.request_context.push(Field::new(name, data_type));
        self
    }

    /// Adds a view.
    pub fn view(mut self, view: FeatureView) -> Self {
        self.views.push(view);
        self
    }
}

impl FeatureView {
    /// A view without rows: for computed features.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            keys: None,
            source: None,
            effective_time: None,
            materialized: true,
            cached: false,
            features: Vec::new(),
        }
    }

    /// A view over CSV text with a header.
    pub fn of_csv(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            source: Some(Source { rows: Rows::Text(text.into()), null: String::new() }),
            ..Self::new(name)
        }
    }

    /// Finds rows by these of the service's join keys, each in the column of its name.
    pub fn keys<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.keys = Some(names.map(ViewKey::named).to_vec());
        self
    }

    /// Adds a feature that is stored in the column of its name.
    pub fn feature(self, name: &str, data_type: DataType) -> Self {
        let value = FeatureValue::Column(name.to_owned());
        self.with(Feature::new(name, data_type, value))
    }

    /// Adds a feature that a CEL expression computes.
    pub fn computed(self, name: &str, data_type: DataType, expression: &str) -> Self {
        let value = FeatureValue::Expression(expression.to_owned());
        self.with(Feature::new(name, data_type, value))
    }

    /// Adds a feature.
    pub fn with(mut self, feature: Feature) -> Self {
        self.features.push(feature);
        self
    }
}

impl ViewKey {
    /// A join key in the column of its name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), column: name.to_owned() }
    }
}

impl Feature {
    /// A feature without description and tags.
    pub fn new(name: impl Into<String>, data_type: DataType, value: FeatureValue) -> Self {
        Self { name: name.into(), data_type, value, description: None, tags: BTreeMap::new() }
    }
}
