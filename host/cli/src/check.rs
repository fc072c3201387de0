//! `beamlet check`.

use super::arguments::Check;
use super::failure::Failure;
use super::loaded::{document, load, setup, usage_of, valid};
use super::print;
use beamlet::plugin::{Diagnostic, Instance, PluginError, Problem, Severity};
use std::process::ExitCode;

/// Asks the store whether a configuration fits it, and tells what it finds and what will come
/// out.
pub(crate) async fn check(arguments: Check) -> anyhow::Result<ExitCode> {
    let document = document(&arguments.config)?;
    let loaded = load(&arguments.handler, Some(&document), 2).await?;
    let config = valid(&loaded, &document).await?;
    let mut instance = Instance::set_up(&loaded.plugin, &setup(&config)).await.map_err(usage_of)?;
    let report = instance.check().await.map_err(|error| match error {
        PluginError::Refused(why) => anyhow::anyhow!("the store cannot tell now: {why}"),
        error => error.into(),
    })?;
    for Diagnostic { severity, path, message, .. } in &report.findings {
        let problem = Problem { path: path.clone(), message: message.clone() };
        print(format_args!("{:8} {}", severity.to_string(), document.locate(&problem)))?;
    }
    if !report.outputs.is_empty() {
        let longest = report.outputs.iter().map(|field| field.name.len()).max().unwrap_or_default();
        let fields = if report.outputs.len() == 1 { "field" } else { "fields" };
        print(format_args!("\n{} {fields} will come out:", report.outputs.len()))?;
        for field in &report.outputs {
            print(format_args!("  {:longest$}  {}", field.name, field.data_type))?;
        }
    }
    Ok(match report.severity() {
        Severity::Problem => Failure::Usage.into(),
        Severity::Warning | Severity::Ok => ExitCode::SUCCESS,
    })
}
