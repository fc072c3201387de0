//! A handler and a configuration, as the command line names them.

use super::arguments::Handler;
use super::failure::Usage;
use beamlet::config::{Config, Document};
use beamlet::plugin::{Description, Plugin, PluginError, Problem, Setup};
use beamlet::sandbox::{Egress, Permissions, Runtime, RuntimeOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
            file => Plugin::from_file(&runtime, Path::new(file)),
        }
        .map_err(|error| Usage(error.to_string()))?;
        let description = plugin.describe(&Permissions::default()).await?;
        Ok(Loaded { plugin, description })
    }

    /// Reads a configuration and finds all that is wrong with it, the host's part and the
    /// handler's.
    pub(crate) async fn configure(&self, path: &Path) -> anyhow::Result<(Config, Vec<String>)> {
        let document = Document::read(path).map_err(|error| Usage(error.to_string()))?;
        let (config, mut problems) = Config::new(&document, &self.description.config_schema);
        let found = self.plugin.validate(&config.handler, &config.sandbox.permissions).await?;
        // Where the host has found something, the handler sees but a stand-in.
        let new = |problem: &Problem| problems.iter().all(|known| known.path != problem.path);
        let new: Vec<Problem> = found.into_iter().filter(new).collect();
        problems.extend(new);
        problems.sort_by_key(|problem| document.line(&problem.path));
        Ok((config, problems.iter().map(|problem| document.locate(problem)).collect()))
    }

    /// A configuration without a problem, or the problems as an error.
    pub(crate) async fn valid(&self, path: &Path) -> anyhow::Result<Config> {
        let (config, problems) = self.configure(path).await?;
        if problems.is_empty() {
            return Ok(config);
        }
        Err(Usage(format!("the configuration is not valid\n{}", problems.join("\n"))).into())
    }
}

/// What the instances of a run share.
pub(crate) fn setup(config: &Config) -> Setup {
    let egress =
        Egress::new(config.allowed.clone(), config.secrets.clone(), config.sandbox.timeouts);
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

fn runtime(handler: &Handler, max_instances: usize) -> anyhow::Result<Runtime> {
    let cache: Option<PathBuf> = match &handler.cache_dir {
        Some(directory) => Some(directory.clone()),
        None => dirs::cache_dir().map(|directory| directory.join("beamlet")),
    };
    let options = RuntimeOptions { cache, max_instances: max_instances as u32 };
    match Runtime::new(&options) {
        Ok(runtime) => Ok(runtime),
        // A read-only home is no reason not to run: it only compiles each time.
        Err(_) if handler.cache_dir.is_none() => {
            Ok(Runtime::new(&RuntimeOptions { cache: None, ..options })?)
        }
        Err(error) => Err(error.into()),
    }
}
