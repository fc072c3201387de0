//! Reads tables that pyarrow, pandas, polars and DuckDB make, writes them, and lets these libraries
//! read them again: values, types and metadata are the same, except for what the guide to formats
//! lists.

use beamlet_formats::{Format, ReadOptions, Reader, Source, Target, WriteOptions, Writer};
use beamlet_interop::{python, root};
use std::path::Path;
use std::process::Command;

/// The null of the CSVs that are written: no value of the tables is spelled like it.
const NULL: &str = "\\N";

fn script(name: &str, folder: &Path) {
    let script = root().join("tests/interop/tests/interop/tables").join(name);
    let ran = Command::new(python("tables")).arg("-I").arg(script).arg(folder).output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
}

fn convert(from: &Path, to: &Path) {
    let source = Source::path(from);
    let format = source.format().unwrap().unwrap();
    let name = from.file_name().unwrap().to_str().unwrap();
    let delimiter = match name.split_once('-') {
        Some((_, "semicolon.csv")) => ";",
        Some((_, "tab.csv")) => "tab",
        _ => ",",
    };
    let delimiter = delimiter.parse().unwrap();
    let options = ReadOptions { delimiter, ..ReadOptions::default() };
    let mut reader = Reader::open(source, format, options).unwrap();
    let options = WriteOptions { null: NULL.to_owned(), ..WriteOptions::default() };
    let format = Format::from_path(to).unwrap();
    let mut writer = Writer::create(Target::path(to), format, options).unwrap();
    while let Some(rows) = reader.next(2).unwrap_or_else(|error| panic!("{error}")) {
        writer.write(&rows, None).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    }
    writer.finish().unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}

#[test]
fn tables_of_other_tools_come_out_as_they_went_in() {
    let folder = tempfile::tempdir().unwrap();
    script("make.py", folder.path());
    let written = folder.path().join("written");
    std::fs::create_dir(&written).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        if !file.is_file() {
            continue;
        }
        let name = file.file_name().unwrap().to_str().unwrap();
        let is_text = name.ends_with(".csv") || name.ends_with(".ndjson");
        let formats: &[_] =
            if is_text { &["ndjson"] } else { &["parquet", "arrow", "arrows", "csv", "ndjson"] };
        for format in formats {
            // A file has one dictionary for each column: the guide says that this one outgrows it.
            if (name, *format) == ("pyarrow-dictionaries.arrows", "arrow") {
                continue;
            }
            convert(&file, &written.join(format!("{name}.to.{format}")));
        }
    }
    script("compare.py", folder.path());
}
