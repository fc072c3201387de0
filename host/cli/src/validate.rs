//! `beamlet validate`.

use super::arguments::Validate;
use super::failure::Failure;
use super::loaded::Loaded;
use super::print;
use std::process::ExitCode;

/// Tells every problem of a configuration, a line each.
pub(crate) async fn validate(arguments: Validate) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::new(&arguments.handler, 2).await?;
    let configured = loaded.configure(&arguments.config).await?;
    for warning in configured.warnings() {
        print(format_args!("warning: {warning}"))?;
    }
    let (path, name) = (arguments.config.display(), &loaded.description.name);
    if configured.valid().is_ok() {
        let version = &loaded.description.version;
        print(format_args!("{path}: valid for the handler {name} {version}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let problems: Vec<String> = configured.problems().collect();
    for problem in &problems {
        print(problem)?;
    }
    let count = problems.len();
    print(format_args!("{path}: {count} problem{}", if count == 1 { "" } else { "s" }))?;
    Ok(Failure::Usage.into())
}
