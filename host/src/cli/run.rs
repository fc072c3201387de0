//! `beamlet run`.

use super::arguments::Run;
use super::failure::{Failure, Usage};
use super::loaded::{Loaded, setup};
use beamlet::config::Config;
use beamlet::plugin::PluginError;
use beamlet::run::{Job, RunError, Summary, run as run_job};
use beamlet_rows::{Format, ReadOptions, Reader, Source, Target, WriteOptions, Writer};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// Enriches the rows of a file or a pipe.
pub(crate) async fn run(arguments: Run) -> anyhow::Result<ExitCode> {
    let (input_format, output_format) = formats(&arguments)?;
    let loaded = Loaded::new(&arguments.handler, 256).await?;
    let mut config = loaded.valid(&arguments.config).await?;
    override_options(&mut config, &arguments);

    let (null, types) = (arguments.null.clone(), arguments.types.clone());
    let reading = ReadOptions { null, types, ..ReadOptions::default() };
    let reader = Reader::open(source(&arguments.input), input_format, reading)?;
    let writing = WriteOptions { null: arguments.null.clone(), ..WriteOptions::default() };
    let writer = Writer::create(target(&arguments.output), output_format, writing)?;
    let summary_file = arguments.summary.as_deref().map(SummaryFile::create).transpose()?;
    let setup = setup(&config);
    let egress = setup.egress.clone();
    let job = Job { plugin: loaded.plugin, setup, reader, writer, options: config.run };

    let (mut summary, error) = match run_job(job).await {
        Ok(summary) => (summary, None),
        Err(failure) => (failure.summary, Some(failure.error)),
    };
    summary.output = name(&arguments.output, "standard output");
    if let Some(error) = &error {
        eprintln!("error: {error}");
        for destination in egress.refused() {
            eprintln!("refused: {destination} is not granted: the configuration does not name it");
        }
    }
    tell(&summary, error.is_some(), is_pipe(&arguments.output));
    if let Some(file) = summary_file {
        file.save(&summary)?;
    }
    Ok(match error {
        None => ExitCode::SUCCESS,
        Some(RunError::SetUp(PluginError::Config(_))) => Failure::Usage.into(),
        Some(_) => Failure::Run.into(),
    })
}

fn tell(summary: &Summary, failed: bool, piped: bool) {
    eprintln!("{summary}");
    let output = &summary.output;
    match (failed, piped) {
        (false, _) => eprintln!("written to {output}"),
        (true, false) => eprintln!("failed: nothing was written to {output}"),
        // What was written to a pipe cannot be taken back.
        (true, true) => eprintln!("failed: what was written to {output} is not complete"),
    }
}

/// Where the summary goes, whole or not at all. Made before the run, so that a run does not
/// fail when all of it is done.
struct SummaryFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl SummaryFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let file = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))
            .map_err(|error| cannot_write(path, &error))?;
        Ok(SummaryFile { file, path: path.to_owned() })
    }

    fn save(mut self, summary: &Summary) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.file, summary)?;
        self.file.write_all(b"\n").map_err(|error| cannot_write(&self.path, &error))?;
        let persisted = self.file.persist(&self.path);
        persisted.map(drop).map_err(|error| cannot_write(&self.path, &error.error))
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("{}: cannot be written: {error}", path.display())
}

fn override_options(config: &mut Config, arguments: &Run) {
    if let Some(bundles) = arguments.in_flight {
        config.run.in_flight = bundles.into();
    }
    if let Some(rows) = arguments.bundle_size {
        config.run.bundle_size = rows as usize;
    }
}

fn formats(arguments: &Run) -> anyhow::Result<(Format, Format)> {
    let of = |path: &Path, given: Option<Format>, of_pipe: Format| match given {
        Some(format) => Ok(format),
        None if is_pipe(path) => Ok(of_pipe),
        None => Format::from_path(path).map_err(|error| Usage(error.to_string())),
    };
    let input = of(&arguments.input, arguments.input_format, Format::Ndjson)?;
    let output = of(&arguments.output, arguments.output_format, input)?;
    Ok((input, output))
}

fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

fn name(path: &Path, pipe: &str) -> String {
    if is_pipe(path) { pipe.to_owned() } else { path.display().to_string() }
}

fn source(path: &Path) -> Source {
    if is_pipe(path) {
        return Source::stream(name(path, "standard input"), std::io::stdin());
    }
    Source::path(path)
}

fn target(path: &Path) -> Target {
    if is_pipe(path) {
        return Target::stream(name(path, "standard output"), std::io::stdout());
    }
    Target::path(path)
}
