//! `beamlet describe`.

use super::arguments::Describe;
use super::loaded::{document, load, setup, usage_of, valid};
use beamlet::config::Document;
use beamlet::load::Loaded;
use beamlet::plugin::Instance;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Tells what a handler is, as JSON.
pub(crate) async fn describe(arguments: Describe) -> anyhow::Result<ExitCode> {
    let document = arguments.config.as_deref().map(document).transpose()?;
    let loaded = load(&arguments.handler, document.as_ref(), 2).await?;
    let description = &loaded.description;
    let told = if arguments.schema {
        description.config_schema.clone()
    } else {
        json!({
            "name": description.name,
            "version": description.version,
            "fields_read": fields_read(&loaded, document.as_ref()).await?,
            "config_schema": description.config_schema,
        })
    };
    super::print(format_args!("{told:#}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Which fields of a row the handler reads is a matter of its configuration.
async fn fields_read(loaded: &Loaded, document: Option<&Document>) -> anyhow::Result<Value> {
    let Some(document) = document else {
        return Ok(json!("as the configuration says: name one with --config"));
    };
    let config = valid(loaded, document).await?;
    let instance = Instance::set_up(&loaded.plugin, &setup(&config)).await.map_err(usage_of)?;
    let field =
        |input: &beamlet::plugin::Input| json!({ "name": input.name, "required": input.required });
    Ok(instance.inputs().iter().map(field).collect())
}
