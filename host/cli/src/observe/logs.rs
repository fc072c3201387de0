//! Logs on standard error, as lines for a person or as JSON for a program.

use super::super::arguments::{LogFormat, Observe};
use super::super::failure::Usage;
use beamlet_telemetry::Exporters;
use std::io::IsTerminal;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged by default; an empty variable is as good as none.
const DEFAULT: &str = "warn";
/// The beginning of this program's targets.
const OURS: &str = "beamlet";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Sends events to standard error, and spans to the exporters.
pub(super) fn start(options: &Observe, exporters: &Exporters) -> Result<(), Usage> {
    let filter = filter(&options.log)
        .map_err(|problem| Usage(format!("--log {}: {problem}", options.log)))?;
    let stderr = std::io::stderr;
    let lines = match options.log_format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            // It would report on standard error that standard error is closed.
            .log_internal_errors(false)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(stderr)
            .log_internal_errors(false)
            .boxed(),
    };
    // A second run in one process keeps the subscriber of the first one.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(exporters.spans())
        .try_init();
    Ok(())
}

/// Levels and `TARGET=LEVEL`, as in `RUST_LOG`. But a level without a target is that of this program, so
/// that its dependencies are silent unless they are named.
fn filter(text: &str) -> Result<EnvFilter, String> {
    let text = if text.trim().is_empty() { DEFAULT } else { text };
    let mut filter = EnvFilter::default().add_directive(LevelFilter::OFF.into());
    for directive in directives_of(text) {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            return Err(format!(
                "`{level}` is no level; write {}, or TARGET=LEVEL such as hyper=debug",
                LEVELS.join(", ")
            ));
        }
        let stated = match directive.contains('=') {
            true => directive.parse(),
            false => format!("{OURS}={level}").parse(),
        };
        let stated = stated.map_err(|error| format!("`{directive}`: {error}"))?;
        filter = filter.add_directive(stated);
    }
    Ok(filter)
}

/// Splits at commas, but not at those within the fields of a span.
fn directives_of(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |it: char| {
        match it {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        it == ',' && depth <= 0
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::filter;

    fn directives(text: &str) -> Vec<String> {
        let filter = filter(text).unwrap().to_string();
        let mut directives: Vec<String> = filter.split(',').map(str::to_owned).collect();
        directives.sort();
        directives
    }

    #[test]
    fn a_level_without_a_target_is_that_of_this_program() {
        assert_eq!(directives("debug"), ["beamlet=debug", "off"]);
        assert_eq!(directives("INFO, hyper=trace"), ["beamlet=info", "hyper=trace", "off"]);
        assert_eq!(directives(""), ["beamlet=warn", "off"]);
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in ["verbose", "warning", "info,loud", "hyper=loud", "hyper", "[=", "info,", "5"] {
            assert!(filter(text).is_err(), "{text}");
        }
        assert!(filter("beamlet[bundle{rows=3,x=4}]=debug").is_ok());
    }
}
