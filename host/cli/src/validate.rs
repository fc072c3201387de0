//! `beamlet validate`.

use super::arguments::Validate;
use super::failure::Failure;
use super::loaded::{configure, document, load};
use super::print;
use std::process::ExitCode;

/// Tells every problem of a configuration, a line each.
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
    Ok(Failure::Usage.into())
}
