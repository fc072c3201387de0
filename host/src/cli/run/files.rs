//! The files of a run, as the command line names them.

use super::super::arguments::Run;
use super::super::failure::Usage;
use beamlet::config::Config;
use beamlet::run::{DeadLetters, FailurePolicy, Summary};
use beamlet_rows::{
    Format, InputProgress, ReadOptions, Reader, Source, Target, WriteOptions, Writer,
};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// What is read and written.
pub(super) struct Files {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) dead_letters: Option<DeadLetters>,
}

impl Files {
    /// Opens all of them: what cannot be read or written shows before the first request.
    pub(super) fn open(
        arguments: &Run,
        config: &Config,
        progress: &Arc<InputProgress>,
    ) -> anyhow::Result<Self> {
        let source = source(&arguments.input).watched(progress.clone());
        let (input_format, output_format) = formats(arguments, &source)?;
        if arguments.delimiter.is_some() && ![input_format, output_format].contains(&Format::Csv) {
            let problem = "--delimiter is for CSV, and neither the input nor the output is CSV";
            return Err(Usage(problem.to_owned()).into());
        }
        let delimiter = arguments.delimiter.unwrap_or_default();
        let set_aside = config.run.on_failure == FailurePolicy::DeadLetter;
        let compression = arguments.compression;
        let (null, types) = (arguments.null.clone(), arguments.types.clone());
        let of_pipe = |path| compression.filter(|_| is_pipe(path));
        let reading = ReadOptions {
            null,
            delimiter,
            types,
            set_aside,
            compression: of_pipe(&arguments.input),
            ..ReadOptions::default()
        };
        let writing = WriteOptions {
            null: arguments.null.clone(),
            delimiter,
            set_aside,
            on_conflict: config.output.on_conflict.clone(),
            compression: of_pipe(&arguments.output),
            ..WriteOptions::default()
        };
        let dead_letters = config.output.dead_letter.as_deref().map(|path| {
            let piped = is_pipe(&arguments.output);
            DeadLetters::create(Target::path(path), piped)
        });
        Ok(Files {
            reader: match arguments.input_format {
                Some(format) => Reader::open(source, format, reading)?,
                None => Reader::detect(source, input_format, reading)?,
            },
            writer: Writer::create(target(&arguments.output), output_format, writing)?,
            dead_letters: dead_letters.transpose()?,
        })
    }
}

/// Whether a path stands for standard input or output.
pub(super) fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

/// A path, or what a pipe is called.
pub(super) fn name(path: &Path, pipe: &str) -> String {
    if is_pipe(path) { pipe.to_owned() } else { path.display().to_string() }
}

/// By what is said, else by the extensions. What comes from a pipe is NDJSON, and what goes to one
/// is of the input's format.
fn formats(arguments: &Run, source: &Source) -> anyhow::Result<(Format, Format)> {
    let usage = |error: beamlet_rows::RowsError| Usage(error.to_string());
    let input = match arguments.input_format {
        Some(format) => format,
        None => source.format().map_err(usage)?.unwrap_or(Format::Ndjson),
    };
    let output = match arguments.output_format {
        Some(format) => format,
        None if is_pipe(&arguments.output) => input,
        None => Format::from_path(&arguments.output).map_err(usage)?,
    };
    Ok((input, output))
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

/// Where the summary goes, whole or not at all. Made before the run, so that a run does not
/// fail when all of it is done.
pub(super) struct SummaryFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl SummaryFile {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let file = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))
            .map_err(|error| cannot_write(path, &error))?;
        Ok(SummaryFile { file, path: path.to_owned() })
    }

    pub(super) fn save(mut self, summary: &Summary) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.file, summary)?;
        self.file.write_all(b"\n").map_err(|error| cannot_write(&self.path, &error))?;
        let persisted = self.file.persist(&self.path);
        persisted.map(drop).map_err(|error| cannot_write(&self.path, &error.error))
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("{}: cannot be written: {error}", path.display())
}
