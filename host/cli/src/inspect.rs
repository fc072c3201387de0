//! The commands that inspect a configuration and a handler: `beamlet validate`, `beamlet check` and
//! `beamlet describe`.

use super::arguments::{Check, Describe, Validate};
use super::failure::ExitKind;
use super::loaded::{configure, document, load, setup, usage_of, valid};
use super::print;
use beamlet::config::Document;
use beamlet::load::Loaded;
use beamlet::plugin::{Diagnostic, Instance, PluginError, Problem, Severity};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Reports every problem of a configuration, one on each line.
pub(crate) async fn validate(arguments: Validate) -> anyhow::Result<ExitCode> {
    let document = document(&arguments.config)?;
    let loaded = load(&arguments.handler, Some(&document), 2).await?;
    let configured = configure(&loaded, &document).await?;
    for warning in configured.warnings() {
        print(format_args!("warning: {warning}"))?;
    }
    let (path, name) = (arguments.config.display(), &loaded.description.name);
    let problems = configured.problems().lines();
    if problems.len() == 0 {
        let version = &loaded.description.version;
        print(format_args!("{path}: valid for the handler {name} {version}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let count = problems.len();
    for problem in problems {
        print(problem)?;
    }
    print(format_args!("{path}: {count} problem{}", if count == 1 { "" } else { "s" }))?;
    Ok(ExitKind::Usage.into())
}

/// Asks the store whether a configuration is right, and reports the findings and the output fields.
pub(crate) async fn check(arguments: Check) -> anyhow::Result<ExitCode> {
    let document = document(&arguments.config)?;
    let loaded = load(&arguments.handler, Some(&document), 2).await?;
    let config = valid(&loaded, &document).await?;
    let mut instance = Instance::set_up(&loaded.plugin, &setup(&config)).await.map_err(usage_of)?;
    let report = instance.check().await.map_err(|error| match error {
        PluginError::Refused(why) => anyhow::anyhow!("the store cannot be checked now: {why}"),
        error => error.into(),
    })?;
    for Diagnostic { severity, path, message, .. } in &report.findings {
        let problem = Problem { path: path.clone(), message: message.clone() };
        print(format_args!("{:8} {}", severity.to_string(), document.locate(&problem)))?;
    }
    if !report.outputs.is_empty() {
        let longest = report.outputs.iter().map(|field| field.name.len()).max().unwrap_or_default();
        let fields = if report.outputs.len() == 1 { "field" } else { "fields" };
        print(format_args!("\n{} {fields} will be added:", report.outputs.len()))?;
        for field in &report.outputs {
            print(format_args!("  {:longest$}  {}", field.name, field.data_type))?;
        }
    }
    Ok(match report.severity() {
        Severity::Problem => ExitKind::Usage.into(),
        Severity::Warning | Severity::Ok => ExitCode::SUCCESS,
    })
}

/// Describes a handler as JSON.
pub(crate) async fn describe(arguments: Describe) -> anyhow::Result<ExitCode> {
    let document = arguments.config.as_deref().map(document).transpose()?;
    let loaded = load(&arguments.handler, document.as_ref(), 2).await?;
    let about = &loaded.description;
    let description = if arguments.schema {
        about.config_schema.clone()
    } else {
        json!({
            "name": about.name,
            "version": about.version,
            "fields_read": fields_read(&loaded, document.as_ref()).await?,
            "config_schema": about.config_schema,
        })
    };
    print(format_args!("{description:#}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The fields that the handler reads, which depend on its configuration.
async fn fields_read(loaded: &Loaded, document: Option<&Document>) -> anyhow::Result<Value> {
    let Some(document) = document else {
        return Ok(json!("depends on the configuration: name one with --config"));
    };
    let config = valid(loaded, document).await?;
    let instance = Instance::set_up(&loaded.plugin, &setup(&config)).await.map_err(usage_of)?;
    let field =
        |input: &beamlet::plugin::Input| json!({ "name": input.name, "required": input.required });
    Ok(instance.inputs().iter().map(field).collect())
}
