//! A handler and a configuration, as the command line names them.

use super::arguments::Handler;
use super::failure::Usage;
use super::say;
use super::trust::warn_of_no_authorities;
use beamlet::config::{Config, Document};
use beamlet::plugin::{Description, Plugin, PluginError, Problem, Setup};
use beamlet::sandbox::{Egress, Permissions, Runtime, RuntimeOptions};
use beamlet_egress::Destination;
use beamlet_registry::RegistryError;
use etcetera::BaseStrategy;
use etcetera::base_strategy::choose_base_strategy;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;

/// A handler that can be used.
pub(crate) struct Loaded {
    pub(crate) plugin: Plugin,
    pub(crate) description: Description,
}

impl Loaded {
    /// Loads and describes the handler.
    pub(crate) async fn new(handler: &Handler, max_instances: usize) -> anyhow::Result<Self> {
        let runtime = runtime(handler, max_instances)?;
        let plugin = match handler.handler.as_str() {
            "tecton" => Plugin::tecton(&runtime),
            name if name.starts_with(beamlet_registry::SCHEME) => {
                let component = pulled(name, handler).await?;
                Plugin::from_bytes(&runtime, name, &component)
            }
            file => Plugin::from_file(&runtime, Path::new(file)),
        }
        .map_err(|error| Usage(error.to_string()))?;
        let description = plugin.describe(&Permissions::default()).await?;
        info!(
            handler = handler.handler.as_str(),
            name = description.name,
            version = description.version,
            "the handler is loaded"
        );
        Ok(Loaded { plugin, description })
    }

    /// Reads a configuration and finds all that is wrong with it, the host's part and the
    /// handler's.
    pub(crate) async fn configure(&self, path: &Path) -> anyhow::Result<Configured> {
        let document = Document::read(path).map_err(|error| Usage(error.to_string()))?;
        let (config, mut problems) = Config::new(&document, &self.description.config_schema);
        let found = self.plugin.validate(&config.handler, &config.sandbox.permissions).await?;
        // Where the host has found something, the handler sees but a stand-in.
        let new = |problem: &Problem| problems.iter().all(|known| known.path != problem.path);
        let new: Vec<Problem> = found.problems.into_iter().filter(new).collect();
        problems.extend(new);
        problems.sort_by_key(|problem| document.line(&problem.path));
        Ok(Configured { document, config, problems, warnings: found.warnings })
    }

    /// A configuration without a problem; its warnings go to standard error.
    pub(crate) async fn valid(&self, path: &Path) -> anyhow::Result<Config> {
        let configured = self.configure(path).await?;
        configured.valid()?;
        for warning in configured.warnings() {
            say(format_args!("warning: {warning}"));
        }
        Ok(configured.config)
    }
}

/// A configuration, and what there is to say of it.
pub(crate) struct Configured {
    pub(crate) document: Document,
    config: Config,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Configured {
    /// The configuration, unless it has problems.
    pub(crate) fn valid(&self) -> Result<&Config, Usage> {
        if self.problems.is_empty() {
            return Ok(&self.config);
        }
        let problems: Vec<String> = self.problems().collect();
        Err(Usage(format!("the configuration is not valid\n{}", problems.join("\n"))))
    }

    /// What is wrong, a line each.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| self.document.locate(problem))
    }

    /// What is accepted and most likely not meant, a line each.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.warnings.iter().map(|warning| self.document.locate(warning))
    }
}

/// The files that a configuration names, such as those of its secrets: what reads `{ file = "…" }`.
pub(crate) fn files_of(config: &Path) -> Vec<PathBuf> {
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
    if let Ok(document) = Document::read(config) {
        visit(document.value(), document.directory(), &mut files);
    }
    files
}

/// What the instances of a run share.
pub(crate) fn setup(config: &Config) -> Setup {
    if config.allowed.destinations().iter().any(Destination::is_secure) {
        warn_of_no_authorities();
    }
    let egress =
        Egress::new(config.allowed.clone(), config.secrets.clone(), config.sandbox.timeouts)
            .through(config.proxies.clone())
            .limited(&config.run.limits);
    Setup {
        config: config.handler.to_string().into(),
        permissions: config.sandbox.permissions,
        egress: Arc::new(egress),
    }
}

/// A handler that is told of a configuration it had called valid has problems with it all the
/// same: they are the user's, too.
pub(crate) fn usage_of(error: PluginError) -> anyhow::Error {
    match error {
        PluginError::Config(_) => Usage(error.to_string()).into(),
        error => error.into(),
    }
}

/// The component that a registry has by this name, from the cache where it has been pulled before.
async fn pulled(name: &str, handler: &Handler) -> anyhow::Result<Vec<u8>> {
    let usage = |error: RegistryError| match error.is_usage() {
        true => Usage(error.to_string()).into(),
        false => anyhow::Error::from(error),
    };
    let reference = name.parse().map_err(usage)?;
    beamlet_registry::pull(&reference, cache_dir(handler).as_deref()).await.map_err(usage)
}

/// Where handlers are kept: compiled, and as they were pulled.
fn cache_dir(handler: &Handler) -> Option<PathBuf> {
    match &handler.cache_dir {
        Some(directory) => Some(directory.clone()),
        None => choose_base_strategy().ok().map(|user| user.cache_dir().join("beamlet")),
    }
}

fn runtime(handler: &Handler, max_instances: usize) -> anyhow::Result<Runtime> {
    let options = RuntimeOptions {
        // A directory of its own: the engine drops from it what it has not used for long.
        cache: cache_dir(handler).map(|directory| directory.join("compiled")),
        max_instances: max_instances as u32,
        ..RuntimeOptions::default()
    };
    match Runtime::new(&options) {
        Ok(runtime) => Ok(runtime),
        // A read-only home is no reason not to run: it only compiles each time.
        Err(_) if handler.cache_dir.is_none() => {
            Ok(Runtime::new(&RuntimeOptions { cache: None, ..options })?)
        }
        Err(error) => Err(error.into()),
    }
}
