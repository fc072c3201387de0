//! `beamlet run`.

mod files;
mod signals;

use self::files::{RunFiles, is_endless, is_written_as_it_comes};
use self::signals::Signals;
use super::arguments::Run;
use super::failure::{ExitKind, Usage};
use super::files::name;
use super::loaded::{document, load, setup, valid};
use super::observe::Observed;
use super::say;
use crate::pipeline::{Job, OnStop, RunError, RunMetrics, Stop, Summary, run as run_job};
use beamlet::config::{Config, FailurePolicy};
use beamlet::enrich::EnrichError;
use beamlet::plugin::PluginError;
use beamlet_formats::OnConflict;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tracing::info;

/// Enriches the rows of a file or a pipe.
pub(crate) async fn run(arguments: Run) -> anyhow::Result<ExitCode> {
    let stop = Stop::default();
    let signals = Signals::listen(stop.clone());
    let mut observed = Observed::start(&arguments.observe).await?;
    let document = document(&arguments.config)?;
    let loaded = load(&arguments.handler, Some(&document), 256).await?;
    let mut config = valid(&loaded, &document).await?;
    override_options(&mut config, &arguments)?;
    let metrics = Arc::new(RunMetrics::default());
    let RunFiles { reader, writer, dead_letters, summary: summary_file, patience } =
        RunFiles::open(&arguments, &config, &metrics.input)?;
    let setup = setup(&config);
    for destination in config.allowed.destinations() {
        info!(%destination, "the store may be called at this destination");
    }
    info!(
        version = env!("CARGO_PKG_VERSION"),
        input = name(&arguments.input, "standard input"),
        output = name(&arguments.output, "standard output"),
        "the run starts"
    );
    let egress = setup.egress.clone();
    // Input from a pipe may have no end, so what was read until a stop is complete.
    let on_stop = if is_endless(&arguments.input) { OnStop::Finish } else { OnStop::Drop };
    let job = Job {
        plugin: loaded.plugin,
        setup,
        reader,
        writer,
        dead_letters,
        options: config.run,
        metrics: metrics.clone(),
        stop,
        on_stop,
        patience: Some(patience),
    };
    signals.run_begins();
    observed.watch(&metrics, &arguments.observe);

    let (mut summary, error) = match run_job(job).await {
        Ok(summary) => (summary, None),
        Err(failure) => (failure.summary, Some(failure.error)),
    };
    observed.end().await;
    summary.output = name(&arguments.output, "standard output");
    if let Some(error) = &error {
        say(format_args!("error: {error}"));
        for refusal in egress.refused() {
            say(format_args!("refused: {refusal}"));
        }
    }
    report(&summary, is_written_as_it_comes(&arguments.output));
    let complete = summary.complete;
    if let Some(file) = summary_file {
        file.write(&(serde_json::to_string_pretty(&summary)? + "\n"))?;
    }
    Ok(match error {
        None if complete => ExitCode::SUCCESS,
        Some(RunError::SetUp(
            EnrichError::Plugin(PluginError::Config(_)) | EnrichError::Cache(_),
        )) => ExitKind::Usage.into(),
        _ => ExitKind::Run.into(),
    })
}

fn report(summary: &Summary, streamed: bool) {
    say(summary);
    let (output, why) = (&summary.output, if summary.stopped { "stopped" } else { "failed" });
    match (summary.complete, streamed) {
        (true, _) if summary.stopped => {
            say(format_args!("stopped: all rows that were read are written to {output}"));
        }
        (true, _) => say(format_args!("written to {output}")),
        (false, false) => say(format_args!("{why}: nothing was written to {output}")),
        // Output to a pipe cannot be taken back.
        (false, true) => {
            say(format_args!("{why}: the output in {output} is not complete"));
        }
    }
}

/// Options of the command line override the configuration.
fn override_options(config: &mut Config, arguments: &Run) -> Result<(), Usage> {
    let run = &mut config.run;
    if let Some(bundles) = arguments.in_flight {
        run.enrich.in_flight = bundles.into();
    }
    if let Some(rows) = arguments.bundle_size {
        run.bundle_size = rows as usize;
    }
    run.ordered = (run.ordered || arguments.ordered) && !arguments.unordered;
    if let Some(policy) = arguments.on_failure {
        run.on_failure = policy.into();
        config.output.dead_letter = None;
    }
    if let Some(path) = &arguments.dead_letter {
        run.on_failure = FailurePolicy::DeadLetter;
        config.output.dead_letter = Some(path.clone());
    }
    if let Some(wait) = arguments.max_bundle_wait_ms {
        run.max_bundle_wait = Duration::from_millis(wait.into());
    }
    if let Some(most) = arguments.max_failures {
        run.max_failures = Some(most);
        if run.on_failure == FailurePolicy::Fail {
            let needs = "needs --dead-letter FILE or --on-failure keep: otherwise the first row that \
                         fails ends the run";
            return Err(Usage(format!("--max-failures {most}: {needs}")));
        }
    }
    for (at, (field, _)) in arguments.types.iter().enumerate() {
        if arguments.types[..at].iter().any(|(before, _)| before == field) {
            return Err(Usage(format!("--type {field}: is stated twice; state one type")));
        }
    }
    let suffix = arguments.suffix.clone();
    if suffix.as_deref() == Some("") {
        return Err(Usage(
            "--suffix: must not be empty; it is appended to a feature's name".to_owned(),
        ));
    }
    config.output.on_conflict = match arguments
        .on_conflict
        .map(Into::into)
        .or_else(|| suffix.is_some().then(|| OnConflict::Suffix(String::new())))
    {
        None => return Ok(()),
        Some(OnConflict::Suffix(_)) => OnConflict::Suffix(suffix.ok_or_else(|| {
            Usage(
                "--on-conflict suffix needs --suffix TEXT, which is appended to a feature's name"
                    .to_owned(),
            )
        })?),
        Some(_) if suffix.is_some() => {
            return Err(Usage("--suffix: has no effect unless --on-conflict is suffix".to_owned()));
        }
        Some(other) => other,
    };
    Ok(())
}
