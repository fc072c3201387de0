//! `beamlet validate`.

use super::arguments::Validate;
use super::failure::Failure;
use super::loaded::Loaded;
use std::process::ExitCode;

/// Tells every problem of a configuration, a line each.
pub(crate) async fn validate(arguments: Validate) -> anyhow::Result<ExitCode> {
    let loaded = Loaded::new(&arguments.handler, 2).await?;
    let (_, problems) = loaded.configure(&arguments.config).await?;
    let (path, name) = (arguments.config.display(), &loaded.description.name);
    if problems.is_empty() {
        println!("{path}: valid for the handler {name} {}", loaded.description.version);
        return Ok(ExitCode::SUCCESS);
    }
    problems.iter().for_each(|problem| println!("{problem}"));
    let count = problems.len();
    println!("{path}: {count} problem{}", if count == 1 { "" } else { "s" });
    Ok(Failure::Usage.into())
}
