//! `beamlet conform`.

use super::arguments::{Conform, Handler};
use super::failure::{ExitKind, Usage};
use super::files::{CommandFiles, ReportFile, is_dash};
use super::loaded::{document, files_of, load, setup, valid};
use super::print;
use arrow_array::RecordBatch;
use beamlet::plugin::Instance;
use beamlet_config::nearest;
use beamlet_conform::{CHECKS, Check, Suite};
use beamlet_formats::{Field, Format, ReadOptions, Reader, Source};
use std::path::Path;
use std::process::ExitCode;

/// The number of rows to read from --keys. Checks use a few of them, and cycle through them.
const MOST_ROWS: usize = 1000;

/// Runs the conformance checks on a handler, and reports their results.
pub(crate) async fn conform(arguments: Conform) -> anyhow::Result<ExitCode> {
    if arguments.list {
        return list();
    }
    let (Some(file), Some(config_file)) = (&arguments.handler, &arguments.config) else {
        let needs = "conform needs a handler and --config FILE, or --list";
        return Err(Usage(needs.to_owned()).into());
    };
    let mut files = CommandFiles::default();
    files.reads("--config", config_file);
    files_of(config_file).iter().for_each(|path| files.reads("the configuration:", path));
    let handler = Handler { handler: Some(file.clone()), cache_dir: arguments.cache_dir.clone() };
    if let beamlet::load::Handler::File(file) = file {
        files.reads("the handler", file);
    }
    if let Some(path) = &arguments.keys {
        files.reads("--keys", path);
    }
    if let Some(path) = &arguments.json {
        files.writes("the report", Path::new("-"));
        files.writes("--json", path);
    }
    files.check()?;
    let json = arguments.json.as_deref().map(ReportFile::create).transpose()?;
    let document = document(config_file)?;
    let loaded = load(&handler, Some(&document), 16).await?;
    let config = valid(&loaded, &document).await?;
    let setup = setup(&config);
    let mut suite = Suite::new(loaded.plugin.clone(), setup.clone()).many(arguments.rows);
    suite = suite.only(&arguments.only).map_err(|name| unknown(&name))?;
    if let Some(path) = &arguments.keys {
        let instance = Instance::set_up(&loaded.plugin, &setup).await;
        // If it cannot be set up, the suite reports that.
        if let Ok(instance) = instance {
            let inputs = instance.inputs().iter();
            let fields: Vec<Field> = inputs
                .map(|input| Field { name: input.name.clone(), required: input.required })
                .collect();
            let rows =
                rows(path, &arguments.null, &fields).map_err(|error| Usage(error.to_string()))?;
            suite = suite
                .samples(&rows)
                .map_err(|error| Usage(format!("{}: {error}", path.display())))?;
        }
    }
    let report = suite.run().await;
    let again = again(&arguments, file, config_file);
    print(report.text(&again))?;
    if let Some(json) = json {
        json.write(&format!("{:#}\n", report.json(&again)))?;
    }
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitKind::Run.into() })
}

/// Lists every check with its promise.
fn list() -> anyhow::Result<ExitCode> {
    let longest = CHECKS.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for Check { name, promise, .. } in CHECKS {
        print(format_args!("{name:longest$}  {promise}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> Usage {
    let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
    let hint = match nearest(name, &names) {
        Some(near) => format!("did you mean {near}?"),
        None => "--list shows all".to_owned(),
    };
    Usage(format!("--only {name}: there is no such check; {hint}"))
}

/// The first rows of a file, as the columns that the handler reads.
fn rows(
    path: &Path,
    null: &str,
    fields: &[Field],
) -> Result<RecordBatch, beamlet_formats::RowsError> {
    let source = match is_dash(path) {
        true => Source::stream("standard input", std::io::stdin()),
        false => Source::path(path),
    };
    let format = source.format()?.unwrap_or(Format::Ndjson);
    let options = ReadOptions { null: null.to_owned(), ..ReadOptions::default() };
    let mut reader = Reader::open(source, format, options)?;
    match reader.next(MOST_ROWS)? {
        Some(rows) => rows.project(fields),
        None => Ok(RecordBatch::new_empty(std::sync::Arc::new(arrow_schema::Schema::empty()))),
    }
}

/// The command, without options that select checks or write a file.
fn again(arguments: &Conform, handler: &beamlet::load::Handler, config: &Path) -> String {
    let mut again = format!("beamlet conform {handler} --config {}", config.display());
    if let Some(keys) = &arguments.keys {
        again.push_str(&format!(" --keys {}", keys.display()));
    }
    if !arguments.null.is_empty() {
        again.push_str(&format!(" --null {}", arguments.null));
    }
    if arguments.rows != Suite::MANY {
        again.push_str(&format!(" --rows {}", arguments.rows));
    }
    again
}
