//! `beamlet run`.

mod files;
mod signals;

use self::files::{Files, SummaryFile, is_pipe, name};
use super::arguments::Run;
use super::failure::{Failure, Usage};
use super::loaded::{Loaded, setup};
use super::observe::Observed;
use beamlet::config::Config;
use beamlet::enrich::EnrichError;
use beamlet::plugin::PluginError;
use beamlet::run::{
    FailurePolicy, Job, OnStop, RunError, RunMeters, Stop, Summary, run as run_job,
};
use beamlet_rows::OnConflict;
use std::process::ExitCode;
use std::sync::Arc;

/// Enriches the rows of a file or a pipe.
pub(crate) async fn run(arguments: Run) -> anyhow::Result<ExitCode> {
    let mut observed = Observed::start(&arguments.observe).await?;
    let loaded = Loaded::new(&arguments.handler, 256).await?;
    let mut config = loaded.valid(&arguments.config).await?;
    override_options(&mut config, &arguments)?;
    let meters = Arc::new(RunMeters::default());
    let Files { reader, writer, dead_letters } = Files::open(&arguments, &config, &meters.input)?;
    let summary_file = arguments.summary.as_deref().map(SummaryFile::create).transpose()?;
    let setup = setup(&config);
    let egress = setup.egress.clone();
    let stop = Stop::default();
    // What comes from a pipe has no end of its own to wait for.
    let on_stop = if is_pipe(&arguments.input) { OnStop::Finish } else { OnStop::Drop };
    let job = Job {
        plugin: loaded.plugin,
        setup,
        reader,
        writer,
        dead_letters,
        options: config.run,
        meters: meters.clone(),
        stop: stop.clone(),
        on_stop,
    };
    signals::drain(stop);
    observed.watch(&meters, &arguments.observe);

    let (mut summary, error) = match run_job(job).await {
        Ok(summary) => (summary, None),
        Err(failure) => (failure.summary, Some(failure.error)),
    };
    observed.end().await;
    summary.output = name(&arguments.output, "standard output");
    if let Some(error) = &error {
        eprintln!("error: {error}");
        for destination in egress.refused() {
            eprintln!("refused: {destination} is not granted: the configuration does not name it");
        }
    }
    tell(&summary, is_pipe(&arguments.output));
    let complete = summary.complete;
    if let Some(file) = summary_file {
        file.save(&summary)?;
    }
    Ok(match error {
        None if complete => ExitCode::SUCCESS,
        Some(RunError::SetUp(
            EnrichError::Plugin(PluginError::Config(_)) | EnrichError::Cache(_),
        )) => Failure::Usage.into(),
        _ => Failure::Run.into(),
    })
}

fn tell(summary: &Summary, piped: bool) {
    eprintln!("{summary}");
    let (output, why) = (&summary.output, if summary.stopped { "stopped" } else { "failed" });
    match (summary.complete, piped) {
        (true, _) if summary.stopped => {
            eprintln!("stopped: all that was read is written to {output}")
        }
        (true, _) => eprintln!("written to {output}"),
        (false, false) => eprintln!("{why}: nothing was written to {output}"),
        // What was written to a pipe cannot be taken back.
        (false, true) => eprintln!("{why}: what was written to {output} is not complete"),
    }
}

/// What the command line says comes before the configuration.
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
    let suffix = arguments.suffix.clone();
    config.output.on_conflict = match arguments
        .on_conflict
        .map(Into::into)
        .or_else(|| suffix.is_some().then(|| OnConflict::Suffix(String::new())))
    {
        None => return Ok(()),
        Some(OnConflict::Suffix(_)) => OnConflict::Suffix(suffix.ok_or_else(|| {
            Usage(
                "--on-conflict suffix needs --suffix TEXT: what goes behind a feature's name"
                    .to_owned(),
            )
        })?),
        Some(other) => other,
    };
    Ok(())
}
