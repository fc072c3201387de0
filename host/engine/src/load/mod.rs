//! Loads a handler and its configuration: from what a user names to the setup of its instances.
//!
//! ```text
//! configuration ─▶ handler (built in, file, registry) ─▶ its schema ─▶ tables, secrets, destinations
//!                                                              └─▶ problems ─▶ Setup
//! ```

mod error;

pub use error::{Invalid, LoadError};

use crate::config::{Config, ConfigError, Document};
use crate::enrich::{EnrichError, Enricher, blocking};
use crate::plugin::{Description, Plugin, Problem, Setup};
use crate::sandbox::{Egress, Permissions, Runtime, RuntimeError, RuntimeOptions};
use beamlet_egress::setters;
use etcetera::BaseStrategy;
use etcetera::base_strategy::choose_base_strategy;
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use tokio::runtime::Builder;
use tracing::{info, warn};

/// The handler that is built in.
const TECTON: &str = "tecton";
/// The beginning of the name of a handler in a registry.
const REGISTRY: &str = "oci://";

/// Which handler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handler {
    /// Tecton's, which is built in.
    #[default]
    Tecton,
    /// A component's file.
    File(PathBuf),
    /// One in a registry, `oci://REGISTRY/NAME@sha256:…`.
    Registry(String),
}

impl Handler {
    /// The same, where a file's path is relative to a directory.
    #[must_use]
    pub fn relative_to(self, directory: &Path) -> Self {
        match self {
            Handler::File(path) => Handler::File(directory.join(path)),
            other => other,
        }
    }
}

/// From `tecton`, `oci://…`, or the path of a file.
impl FromStr for Handler {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            TECTON => Handler::Tecton,
            name if name.starts_with(REGISTRY) => Handler::Registry(name.to_owned()),
            file => Handler::File(PathBuf::from(file)),
        })
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Handler::Tecton => f.write_str(TECTON),
            Handler::File(path) => write!(f, "{}", path.display()),
            Handler::Registry(name) => f.write_str(name),
        }
    }
}

/// How handlers are loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The cache of handlers, compiled and as they were pulled. `None` is `beamlet` in the user's cache
    /// directory, or no cache where that cannot be written.
    pub cache_dir: Option<PathBuf>,
    /// How many instances there may be at once, from 1.
    pub max_instances: u32,
}

/// The user's cache directory, and 256 instances.
impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { cache_dir: None, max_instances: 256 }
    }
}

setters!(LoadOptions { cache_dir: Option<PathBuf>, max_instances: u32 });

impl LoadOptions {
    fn directory(&self) -> Option<PathBuf> {
        match &self.cache_dir {
            Some(directory) => Some(directory.clone()),
            None => choose_base_strategy().ok().map(|user| user.cache_dir().join("beamlet")),
        }
    }

    fn runtime(&self) -> Result<Runtime, RuntimeError> {
        let options = RuntimeOptions {
            // A directory of its own, as wasmtime deletes old entries from it.
            cache: self.directory().map(|directory| directory.join("compiled")),
            max_instances: self.max_instances,
            ..RuntimeOptions::default()
        };
        match Runtime::new(&options) {
            // A read-only home costs a compilation each time, and nothing else.
            Err(_) if self.cache_dir.is_none() => {
                Runtime::new(&RuntimeOptions { cache: None, ..options })
            }
            runtime => runtime,
        }
    }
}

/// A handler that is loaded.
#[derive(Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// The component.
    pub plugin: Plugin,
    /// Its own description.
    pub description: Description,
}

impl Loaded {
    /// Loads a handler, and asks for its description.
    ///
    /// # Errors
    /// It cannot be read or pulled, or is no handler.
    pub async fn new(handler: &Handler, options: &LoadOptions) -> Result<Self, LoadError> {
        let runtime = options.runtime()?;
        let plugin = match handler {
            #[cfg(feature = "tecton")]
            Handler::Tecton => Plugin::tecton(&runtime)?,
            Handler::File(path) => Plugin::from_file(&runtime, path)?,
            #[cfg(feature = "registry")]
            Handler::Registry(name) => {
                let reference: beamlet_registry::Reference =
                    name.parse().map_err(LoadError::registry)?;
                let kept = options.directory();
                let component = beamlet_registry::pull(&reference, kept.as_deref()).await;
                Plugin::from_bytes(&runtime, name, &component.map_err(LoadError::registry)?)?
            }
            #[cfg(not(feature = "tecton"))]
            Handler::Tecton => return Err(not_built_in(handler, "tecton")),
            #[cfg(not(feature = "registry"))]
            Handler::Registry(_) => return Err(not_built_in(handler, "registry")),
        };
        let description = plugin.describe(&Permissions::default()).await?;
        let Description { name, version, .. } = &description;
        info!(%handler, name, version, "the handler is loaded");
        Ok(Loaded { plugin, description })
    }

    /// Loads the handler that a configuration names, or another one in its place.
    ///
    /// # Errors
    /// As [`new`](Self::new); or the name in the configuration is not valid.
    pub async fn of(
        document: &Document,
        instead: Option<&Handler>,
        options: &LoadOptions,
    ) -> Result<Self, LoadError> {
        match instead {
            Some(handler) => Loaded::new(handler, options).await,
            None => {
                let handler = Config::handler_of(document)
                    .map_err(|problem| LoadError::Invalid(Invalid::new(document, vec![problem])))?;
                Loaded::new(&handler, options).await
            }
        }
    }

    /// Reads a configuration and finds all problems of it, in the host's tables and in the handler's.
    ///
    /// # Errors
    /// The handler trapped, or took too long. Problems of the configuration are no error here.
    pub async fn configure(&self, document: &Document) -> Result<Configured, LoadError> {
        let (config, mut problems) = Config::new(document, &self.description.config_schema);
        let found = self.plugin.validate(&config.handler, &config.sandbox.permissions).await?;
        // Where the host has found a problem, the handler sees a stand-in and may report that.
        let new = |problem: &Problem| problems.iter().all(|known| known.path != problem.path);
        let new: Vec<Problem> = found.problems.into_iter().filter(new).collect();
        problems.extend(new);
        problems.sort_by_key(|problem| document.line(&problem.path));
        let problems = Invalid::new(document, problems);
        let locate = |warning| document.locate(warning);
        let warnings = found.warnings.iter().map(locate).collect();
        Ok(Configured { config, problems, warnings })
    }
}

#[cfg(not(all(feature = "registry", feature = "tecton")))]
fn not_built_in(handler: &Handler, feature: &'static str) -> LoadError {
    LoadError::NotBuiltIn { handler: handler.to_string(), feature }
}

/// A configuration, with the problems and warnings that were found in it.
#[derive(Clone, Debug)]
pub struct Configured {
    config: Config,
    problems: Invalid,
    warnings: Vec<String>,
}

impl Configured {
    /// The configuration.
    ///
    /// # Errors
    /// All its problems.
    pub fn valid(self) -> Result<Config, Invalid> {
        if self.problems.problems.is_empty() { Ok(self.config) } else { Err(self.problems) }
    }

    /// All problems.
    pub fn problems(&self) -> &Invalid {
        &self.problems
    }

    /// What is accepted and most likely not intended, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Enricher {
    /// Sets an enricher up as the command `beamlet` does: loads the handler that the configuration names,
    /// finds all problems, takes the secrets out, grants the destinations that it names, and sets the
    /// handler up. Warnings go to [`tracing`].
    ///
    /// A configuration is a text, TOML or JSON, a JSON value, the [`Path`] of a file, or a
    /// [`Document`]. Of `[run]`, the settings of enrichment apply; reading and writing rows is
    /// for the caller.
    ///
    /// # Errors
    /// The configuration has problems, all of which are reported; or the handler cannot be loaded or set up.
    pub async fn from_config<C>(config: C) -> Result<Self, LoadError>
    where
        C: TryInto<Document>,
        LoadError: From<C::Error>,
    {
        let document = config.try_into()?;
        let loaded = Loaded::of(&document, None, &LoadOptions::default()).await?;
        let configured = loaded.configure(&document).await?;
        configured.warnings().iter().for_each(|warning| warn!("{warning}"));
        let config = configured.valid()?;
        let setup = config.setup();
        Ok(Enricher::set_up(loaded.plugin, setup, config.run.enrich).await?)
    }

    /// [`from_config`](Self::from_config) for callers without a runtime: waits on the calling thread.
    ///
    /// # Errors
    /// As `from_config`; or [`EnrichError::CannotBlock`] on a thread of a current-thread tokio
    /// runtime.
    pub fn from_config_blocking<C>(config: C) -> Result<Self, LoadError>
    where
        C: TryInto<Document>,
        LoadError: From<C::Error>,
    {
        blocking(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.map_err(EnrichError::Threads)?.block_on(Self::from_config(config))
        })?
    }
}

impl Config {
    /// The handler that a configuration names by its top-level key `handler`; by default Tecton's.
    ///
    /// # Errors
    /// The value is no text, or empty.
    pub fn handler_of(document: &Document) -> Result<Handler, Problem> {
        match document.value().get("handler") {
            None => Ok(Handler::default()),
            Some(Value::String(name)) if !name.is_empty() => {
                let Ok(handler) = name.parse::<Handler>();
                Ok(handler.relative_to(document.directory()))
            }
            Some(_) => Err(Problem {
                path: "/handler".to_owned(),
                message: "must be tecton, the path of a component, or oci://REGISTRY/NAME@sha256:…"
                    .to_owned(),
            }),
        }
    }

    /// The setup of a handler's instances: its tables, and an egress with destinations, secrets and limits.
    pub fn setup(&self) -> Setup {
        let egress = Egress::new(self.allowed.clone(), self.secrets.clone(), self.sandbox.timeouts)
            .through(self.proxies.clone())
            .private_addresses(self.sandbox.private_addresses)
            .limited(&self.run.limits);
        Setup {
            config: self.handler.to_string().into(),
            permissions: self.sandbox.permissions,
            egress: Arc::new(egress),
        }
    }
}

/// The files that a configuration names: the handler's, and those of secrets, `{ file = "…" }`.
///
/// # Errors
/// It cannot be read.
pub fn files_of(config: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    fn visit(value: &Value, directory: &Path, files: &mut Vec<PathBuf>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(file)) = map.get("file").filter(|_| map.len() == 1) {
                    files.push(directory.join(file));
                }
                map.values().for_each(|value| visit(value, directory, files));
            }
            Value::Array(values) => values.iter().for_each(|it| visit(it, directory, files)),
            _ => {}
        }
    }
    let mut files = Vec::new();
    let document = Document::read(config)?;
    visit(document.value(), document.directory(), &mut files);
    if let Ok(Handler::File(file)) = Config::handler_of(&document) {
        files.push(file);
    }
    Ok(files)
}
