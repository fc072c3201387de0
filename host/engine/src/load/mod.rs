//! A handler and its configuration, from what a user names to what an instance is set up with.
//!
//! ```text
//! configuration ─▶ handler (built in, file, registry) ─▶ its schema ─▶ tables, secrets, destinations
//!                                                              └─▶ problems ─▶ Setup
//! ```

mod error;
mod handler;

pub use error::{Invalid, LoadError};
pub use handler::Handler;

use crate::config::{Config, ConfigError, Document};
use crate::enrich::Enricher;
use crate::plugin::{Description, Plugin, Problem, Setup};
use crate::sandbox::{Egress, Permissions, Runtime, RuntimeError, RuntimeOptions};
use etcetera::BaseStrategy;
use etcetera::base_strategy::choose_base_strategy;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::{info, warn};

/// How handlers are loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Where handlers are kept, compiled and as they were pulled. `None` is `beamlet` in the user's
    /// cache directory; where that cannot be written, nothing is kept.
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

impl LoadOptions {
    /// Keeps handlers in a directory; `None` is as by default.
    #[must_use]
    pub fn cache_dir(mut self, directory: Option<PathBuf>) -> Self {
        self.cache_dir = directory;
        self
    }

    /// Lets so many instances be at once.
    #[must_use]
    pub fn max_instances(mut self, instances: u32) -> Self {
        self.max_instances = instances;
        self
    }

    fn directory(&self) -> Option<PathBuf> {
        match &self.cache_dir {
            Some(directory) => Some(directory.clone()),
            None => choose_base_strategy().ok().map(|user| user.cache_dir().join("beamlet")),
        }
    }

    fn runtime(&self) -> Result<Runtime, RuntimeError> {
        let options = RuntimeOptions {
            // A directory of its own: the engine drops from it what it has not used for long.
            cache: self.directory().map(|directory| directory.join("compiled")),
            max_instances: self.max_instances,
            ..RuntimeOptions::default()
        };
        match Runtime::new(&options) {
            // A read-only home is no reason not to run: it only compiles each time.
            Err(_) if self.cache_dir.is_none() => {
                Runtime::new(&RuntimeOptions { cache: None, ..options })
            }
            runtime => runtime,
        }
    }
}

/// A handler that can be used.
#[derive(Clone)]
pub struct Loaded {
    /// The component.
    pub plugin: Plugin,
    /// What it says it is.
    pub description: Description,
}

impl Loaded {
    /// Loads a handler, and asks it what it is.
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
                let reference = name.parse().map_err(LoadError::registry)?;
                let kept = options.directory();
                let component = beamlet_registry::pull(&reference, kept.as_deref()).await;
                Plugin::from_bytes(&runtime, name, &component.map_err(LoadError::registry)?)?
            }
            #[cfg(not(feature = "tecton"))]
            Handler::Tecton => return Err(LoadError::not_built_in(handler, "tecton")),
            #[cfg(not(feature = "registry"))]
            Handler::Registry(_) => return Err(LoadError::not_built_in(handler, "registry")),
        };
        let description = plugin.describe(&Permissions::default()).await?;
        let Description { name, version, .. } = &description;
        info!(%handler, name, version, "the handler is loaded");
        Ok(Loaded { plugin, description })
    }

    /// The handler that a configuration names, unless another one is to be taken in its place.
    ///
    /// # Errors
    /// As [`new`](Self::new); or the configuration names none rightly.
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

    /// Reads a configuration and finds all that is wrong with it, the host's part and the
    /// handler's.
    ///
    /// # Errors
    /// The handler trapped, or took too long. What is wrong with the configuration is no error here.
    pub async fn configure(&self, document: &Document) -> Result<Configured, LoadError> {
        let (config, mut problems) = Config::new(document, &self.description.config_schema);
        let found = self.plugin.validate(&config.handler, &config.sandbox.permissions).await?;
        // Where the host has found something, the handler sees but a stand-in.
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

/// A configuration, and what there is to say of it.
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

    /// What is wrong, all of it.
    pub fn problems(&self) -> &Invalid {
        &self.problems
    }

    /// What is accepted and most likely not meant, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Enricher {
    /// Does what the command `beamlet` does with a configuration: loads the handler that it names,
    /// finds all that is wrong with it, takes its secrets out, grants the destinations that it names,
    /// and sets the handler up. Warnings go to [`tracing`].
    ///
    /// A configuration is a text, TOML or JSON, a JSON value, the [`Path`] of a file, or a
    /// [`Document`]. `[run]` counts as far as it says how rows are enriched; how they are read and
    /// written is for the caller.
    ///
    /// # Errors
    /// The configuration has problems, all of which are told; or the handler cannot be loaded or set up.
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
}

impl Config {
    /// The handler that a configuration names: `handler`, at its top. Tecton's, where it names none.
    ///
    /// # Errors
    /// It is no text.
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

    /// What the instances of a handler share: the way out with its destinations, secrets and limits.
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

/// The files that a configuration names: its handler's, and those of its secrets, which read
/// `{ file = "…" }`.
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
