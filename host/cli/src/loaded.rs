//! Loads the handler and the configuration that the command line names.

use super::arguments::Handler;
use super::failure::Usage;
use super::say;
use super::trust::warn_of_no_authorities;
use beamlet::config::{Config, Document};
use beamlet::load::{self, Configured, LoadError, LoadOptions, Loaded};
use beamlet::plugin::{PluginError, Setup};
use beamlet_egress::Destination;
use std::path::Path;

/// Loads the handler that the command line names, otherwise the one that the configuration names.
pub(crate) async fn load(
    handler: &Handler,
    document: Option<&Document>,
    max_instances: u32,
) -> anyhow::Result<Loaded> {
    let options =
        LoadOptions::default().cache_dir(handler.cache_dir.clone()).max_instances(max_instances);
    let named = handler.handler.as_ref();
    let loaded = match document {
        Some(document) => Loaded::of(document, named, &options).await,
        None => Loaded::new(&named.cloned().unwrap_or_default(), &options).await,
    };
    loaded.map_err(failure)
}

/// Reads a configuration.
pub(crate) fn document(path: &Path) -> anyhow::Result<Document> {
    Ok(Document::read(path).map_err(|error| Usage(error.to_string()))?)
}

/// A configuration, with its problems and warnings.
pub(crate) async fn configure(loaded: &Loaded, document: &Document) -> anyhow::Result<Configured> {
    loaded.configure(document).await.map_err(failure)
}

/// A valid configuration. Its warnings are written to standard error.
pub(crate) async fn valid(loaded: &Loaded, document: &Document) -> anyhow::Result<Config> {
    let configured = configure(loaded, document).await?;
    let warnings = configured.warnings().to_vec();
    let config = configured.valid().map_err(|error| Usage(error.to_string()))?;
    warnings.iter().for_each(|warning| say(format_args!("warning: {warning}")));
    Ok(config)
}

/// What the instances of a run share.
pub(crate) fn setup(config: &Config) -> Setup {
    if config.allowed.destinations().iter().any(Destination::is_secure) {
        warn_of_no_authorities();
    }
    config.setup()
}

/// The error of a command if the handler or its configuration cannot be used.
fn failure(error: LoadError) -> anyhow::Error {
    match error.is_usage() {
        true => Usage(error.to_string()).into(),
        false => error.into(),
    }
}

/// The error if set-up fails although the configuration is valid: problems that the handler reports
/// then are the user's, too.
pub(crate) fn usage_of(error: PluginError) -> anyhow::Error {
    failure(error.into())
}

/// The files that a configuration names; none if it cannot be read, which is reported elsewhere.
pub(crate) fn files_of(config: &Path) -> Vec<std::path::PathBuf> {
    load::files_of(config).unwrap_or_default()
}
