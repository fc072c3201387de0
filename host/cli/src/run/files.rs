//! The files of a run, as the command line names them.

use super::super::arguments::Run;
use super::super::failure::Usage;
use super::super::loaded::files_of;
use super::super::report_file::ReportFile;
use super::super::touched::{Touched, is_dash, name, place, target};
use crate::pipeline::DeadLetters;
use beamlet::config::{Config, FailurePolicy};
use beamlet::load::Handler;
use beamlet_formats::{
    Format, InputProgress, Patience, Place, ReadOptions, Reader, Source, WriteOptions, Writer,
};
use std::path::Path;
use std::sync::Arc;

/// What is read and written.
pub(super) struct Files {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) dead_letters: Option<DeadLetters>,
    pub(super) summary: Option<ReportFile>,
    /// How long rows wait for others.
    pub(super) patience: Patience,
}

impl Files {
    /// Opens all of them: what cannot be read or written shows before the first request.
    pub(super) fn open(
        arguments: &Run,
        config: &Config,
        progress: &Arc<InputProgress>,
    ) -> anyhow::Result<Self> {
        let source = source(&arguments.input).watched(progress.clone());
        refuse_conflicts(arguments, config, &source)?;
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
        Ok(Files {
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

/// No file may be two things.
fn refuse_conflicts(arguments: &Run, config: &Config, source: &Source) -> Result<(), Usage> {
    let mut touched = Touched::default();
    touched.reads("--config", &arguments.config);
    for path in files_of(&arguments.config) {
        touched.reads("the configuration:", &path);
    }
    if let Some(Handler::File(file)) = &arguments.handler.handler {
        touched.reads("--handler", file);
    }
    // Files that are not there are told when they are opened.
    touched.input("--input", &arguments.input, &source.files().unwrap_or_default());
    touched.output("--output", &arguments.output);
    if let Some(path) = &config.output.dead_letter {
        let stated = arguments.dead_letter.is_some();
        touched.writes(if stated { "--dead-letter" } else { "run.dead_letter" }, path);
    }
    if let Some(path) = &arguments.summary {
        touched.writes("--summary", path);
    }
    touched.check()
}

/// Whether an input may come bit by bit, and has no end of its own.
pub(super) fn is_endless(input: &Path) -> bool {
    place(input, Place::Stdin).is_stream()
}

/// Whether what is written cannot be taken back, because it goes to a pipe or a device.
pub(super) fn is_written_as_it_comes(output: &Path) -> bool {
    place(output, Place::Stdout).is_stream()
}

/// By what is said, else by the extensions. What comes from a pipe is NDJSON, and what goes to one
/// is of the input's format.
fn formats(arguments: &Run, source: &Source) -> anyhow::Result<(Format, Format)> {
    let usage = |error: beamlet_formats::RowsError| Usage(error.to_string());
    let input = match arguments.input_format {
        Some(format) => format,
        None if is_descriptor(&place(&arguments.input, Place::Stdin)) => Format::Ndjson,
        None => source.format().map_err(usage)?.unwrap_or(Format::Ndjson),
    };
    let output = match arguments.output_format {
        Some(format) => format,
        None if is_descriptor(&place(&arguments.output, Place::Stdout)) => input,
        None => Format::from_path(&arguments.output).map_err(usage)?,
    };
    Ok((input, output))
}

/// Whether a place has no name that could tell a format.
fn is_descriptor(place: &Place) -> bool {
    !matches!(place, Place::Path(_))
}

fn source(path: &Path) -> Source {
    match place(path, Place::Stdin) {
        Place::Stdin => Source::stdin(name(path, "standard input")),
        _ => Source::path(path),
    }
}
