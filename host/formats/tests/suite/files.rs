//! The files in the output's directory during and after writing, and if the writer does not finish.

use std::fs;
use std::path::Path;

use crate::support::rows;
use beamlet_formats::Format::Ndjson;
use beamlet_formats::{
    Format, ReadOptions, Reader, RowsError, Source, Target, WriteOptions, Writer,
};

fn writer(path: &Path) -> Result<Writer, RowsError> {
    let mut writer = Writer::create(Target::path(path), Ndjson, WriteOptions::default())?;
    writer.write(&rows(Ndjson, "{\"new\":1}"), None)?;
    Ok(writer)
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_file_gets_its_name_only_when_it_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.ndjson");
    let writer = writer(&path).unwrap();
    assert!(!path.exists());
    writer.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"new\":1}\n");
    assert_eq!(names(directory.path()), ["out.ndjson"]);
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    drop(writer(&directory.path().join("out.ndjson")).unwrap());
    assert!(names(directory.path()).is_empty());
}

#[test]
fn a_file_with_a_footer_gets_its_name_only_after_the_footer() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["out.parquet", "out.arrow", "out.arrows", "out.csv.gz", "out.csv.zst"] {
        let path = directory.path().join(name);
        let format = Format::from_path(&path).unwrap();
        let open = || {
            let mut writer =
                Writer::create(Target::path(&path), format, WriteOptions::default()).unwrap();
            writer.write(&rows(Ndjson, "{\"new\":1}"), None).unwrap();
            writer
        };
        drop(open());
        assert!(names(directory.path()).is_empty(), "{name}");
        let writer = open();
        assert!(!path.exists());
        let written = writer.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), written.bytes);
        let mut reader = Reader::open(Source::path(&path), format, ReadOptions::default()).unwrap();
        assert_eq!(reader.next(9).unwrap().unwrap().len(), 1);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn an_error_while_finishing_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.parquet");
    let mut writer =
        Writer::create(Target::path(&path), Format::Parquet, WriteOptions::default()).unwrap();
    // Held back until its types are known; then it is seen that they do not go together.
    writer.write(&rows(Ndjson, "{\"a\":1}"), None).unwrap();
    writer.write(&rows(Format::Csv, "a\n1\n"), None).unwrap();
    writer.finish().unwrap_err();
    assert!(names(directory.path()).is_empty());
}

#[test]
fn an_existing_file_stays_until_the_new_one_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.ndjson");
    fs::write(&path, "old").unwrap();
    drop(writer(&path).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    writer(&path).unwrap().finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"new\":1}\n");
}

#[test]
fn a_file_can_be_replaced_by_what_was_read_from_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.ndjson");
    fs::write(&path, "{\"a\":1}\n{\"a\":2}\n").unwrap();
    let mut reader = Reader::open(Source::path(&path), Ndjson, ReadOptions::default()).unwrap();
    let mut writer = Writer::create(Target::path(&path), Ndjson, WriteOptions::default()).unwrap();
    while let Some(rows) = reader.next(1).unwrap() {
        writer.write(&rows, None).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"a\":2}\n");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_has_the_permissions_of_any_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("out.ndjson"), directory.path().join("other"));
        writer(&path).unwrap().finish().unwrap();
        fs::write(&other, "").unwrap();
        assert_eq!(mode(&path), mode(&other));
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.ndjson");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        writer(&path).unwrap().finish().unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("out.ndjson"), directory.path().join("link"));
        fs::write(&path, "old").unwrap();
        symlink(&path, &link).unwrap();
        writer(&link).unwrap().finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"new\":1}\n");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        writer(Path::new("/dev/null")).unwrap().finish().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
