//! Opens the files of a run that the command line names.

use super::super::arguments::Run;
use super::super::failure::Usage;
use super::super::files::{CommandFiles, ReportFile, is_dash, name, place, target};
use super::super::loaded::files_of;
use crate::pipeline::DeadLetters;
use beamlet::config::{Config, FailurePolicy};
use beamlet::load::Handler;
use beamlet_formats::{
    Format, InputProgress, Patience, Place, ReadOptions, Reader, Source, WriteOptions, Writer,
};
use std::path::Path;
use std::sync::Arc;

/// The inputs and outputs of a run.
pub(super) struct RunFiles {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) dead_letters: Option<DeadLetters>,
    pub(super) summary: Option<ReportFile>,
    /// How long rows wait for more rows.
    pub(super) patience: Patience,
}

impl RunFiles {
    /// Opens all files, so that errors show before the first request.
    pub(super) fn open(
        arguments: &Run,
        config: &Config,
        progress: &Arc<InputProgress>,
    ) -> anyhow::Result<Self> {
        let source = source(&arguments.input).watched(progress.clone());
        reject_conflicts(arguments, config, &source)?;
        let (input_format, output_format) = formats(arguments, &source)?;
        if arguments.delimiter.is_some() && ![input_format, output_format].contains(&Format::Csv) {
            let problem = "--delimiter is for CSV, and neither the input nor the output is CSV";
            return Err(Usage(problem.to_owned()).into());
        }
        let delimiter = arguments.delimiter.unwrap_or_default();
        let set_aside = config.run.on_failure == FailurePolicy::DeadLetter;
        let compression = arguments.compression;
        let (null, types) = (arguments.null.clone(), arguments.types.clone());
        let of_pipe = |path| compression.filter(|_| is_dash(path));
        let patience = Patience::new(Some(config.run.max_bundle_wait));
        let default = ReadOptions::default();
        let reading = ReadOptions {
            max_row_bytes: arguments.max_row_bytes.map_or(default.max_row_bytes, |it| it as usize),
            max_batch_bytes: arguments.max_batch_bytes.unwrap_or(default.max_batch_bytes),
            null,
            delimiter,
            types,
            set_aside,
            compression: of_pipe(&arguments.input),
            patience: patience.clone(),
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
            DeadLetters::create(target(path), is_written_as_it_comes(&arguments.output))
        });
        Ok(RunFiles {
            reader: match arguments.input_format {
                Some(format) => Reader::open(source, format, reading)?,
                None => Reader::detect(source, input_format, reading)?,
            },
            writer: Writer::create(target(&arguments.output), output_format, writing)?,
            dead_letters: dead_letters.transpose()?,
            patience,
            summary: arguments.summary.as_deref().map(ReportFile::create).transpose()?,
        })
    }
}

/// Checks that no two options name the same file.
fn reject_conflicts(arguments: &Run, config: &Config, source: &Source) -> Result<(), Usage> {
    let mut files = CommandFiles::default();
    files.reads("--config", &arguments.config);
    for path in files_of(&arguments.config) {
        files.reads("the configuration:", &path);
    }
    if let Some(Handler::File(file)) = &arguments.handler.handler {
        files.reads("--handler", file);
    }
    // Missing files are reported when they are opened.
    files.input("--input", &arguments.input, &source.files().unwrap_or_default());
    files.output("--output", &arguments.output);
    if let Some(path) = &config.output.dead_letter {
        let stated = arguments.dead_letter.is_some();
        files.writes(if stated { "--dead-letter" } else { "run.dead_letter" }, path);
    }
    if let Some(path) = &arguments.summary {
        files.writes("--summary", path);
    }
    files.check()
}

/// Whether the input is a stream, which may have no end.
pub(super) fn is_endless(input: &Path) -> bool {
    place(input, Place::Stdin).is_stream()
}

/// Whether the output is a stream, so that what is written cannot be taken back.
pub(super) fn is_written_as_it_comes(output: &Path) -> bool {
    place(output, Place::Stdout).is_stream()
}

/// The formats that are stated, otherwise those of the extensions. Input from a pipe defaults to
/// NDJSON, output to a pipe to the input's format.
fn formats(arguments: &Run, source: &Source) -> anyhow::Result<(Format, Format)> {
    let usage = |error: &dyn std::fmt::Display| Usage(error.to_string());
    let input = match arguments.input_format {
        Some(format) => format,
        None if is_descriptor(&place(&arguments.input, Place::Stdin)) => Format::Ndjson,
        None => source.format().map_err(|error| usage(&error))?.unwrap_or(Format::Ndjson),
    };
    let output = match arguments.output_format {
        Some(format) => format,
        None if is_descriptor(&place(&arguments.output, Place::Stdout)) => input,
        None => Format::from_path(&arguments.output).map_err(|error| usage(&error))?,
    };
    Ok((input, output))
}

/// Whether a place has no file name, and so no extension.
fn is_descriptor(place: &Place) -> bool {
    !matches!(place, Place::Path(_))
}

fn source(path: &Path) -> Source {
    match place(path, Place::Stdin) {
        Place::Stdin => Source::stdin(name(path, "standard input")),
        _ => Source::path(path),
    }
}
