//! Which files a path, a directory or a pattern stands for.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::{Format, RowsError};

/// The files that `paths` stand for.
pub(super) fn resolved(paths: &[PathBuf]) -> Result<Vec<PathBuf>, RowsError> {
    let mut parts = Vec::new();
    for path in paths {
        if path.is_dir() {
            directory(path, &mut parts)?;
        } else if !path.exists() && is_pattern(path) {
            pattern(path, &mut parts)?;
        } else {
            // Whether it can be opened is seen then.
            parts.push(path.clone());
        }
    }
    if parts.is_empty() {
        return Err(RowsError::NoInput);
    }
    Ok(parts)
}

/// The one format that the extensions name, if they name any; fails if they name two.
pub(super) fn format(parts: &[PathBuf]) -> Result<Option<Format>, RowsError> {
    let mut formats = parts.iter().filter_map(|part| Some((part, Format::from_path(part).ok()?)));
    let Some((first, format)) = formats.next() else { return Ok(None) };
    match formats.find(|(_, other)| *other != format) {
        None => Ok(Some(format)),
        Some((second, _)) => {
            Err(RowsError::MixedFormats { first: first.clone(), second: second.clone() })
        }
    }
}

/// How many bytes there are, where all parts are files.
pub(super) fn bytes(parts: &[PathBuf]) -> Option<u64> {
    let bytes = |part: &PathBuf| {
        let found = fs::metadata(part).ok().filter(|found| found.is_file());
        found.map(|found| found.len())
    };
    parts.iter().map(bytes).sum()
}

fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|it| it.contains(['*', '?', '[']))
}

fn directory(path: &Path, parts: &mut Vec<PathBuf>) -> Result<(), RowsError> {
    let cannot = |cause| RowsError::Open { name: path.display().to_string().into(), cause };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if is_hidden(&entry.file_name()) {
            continue;
        }
        // What is left out without a word would be missed.
        if entry.path().is_dir() {
            return Err(RowsError::NestedDirectory {
                path: path.to_owned(),
                directory: entry.path(),
            });
        }
        found.push(entry.path());
    }
    if found.is_empty() {
        return Err(RowsError::EmptyDirectory { path: path.to_owned() });
    }
    found.sort();
    parts.append(&mut found);
    Ok(())
}

fn pattern(path: &Path, parts: &mut Vec<PathBuf>) -> Result<(), RowsError> {
    const OPTIONS: MatchOptions = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let text = path.to_str().expect("a pattern is text");
    let matches = glob::glob_with(text, OPTIONS)
        .map_err(|error| RowsError::BadPattern { pattern: path.to_owned(), problem: error.msg })?;
    let mut found = Vec::new();
    for found_path in matches {
        let found_path = found_path.map_err(|error| RowsError::Open {
            name: error.path().display().to_string().into(),
            cause: error.into(),
        })?;
        let asked_for = path.file_name().is_some_and(is_hidden);
        if asked_for || !found_path.file_name().is_some_and(is_hidden) {
            found.push(found_path);
        }
    }
    if found.is_empty() {
        return Err(RowsError::NoMatch { pattern: path.to_owned() });
    }
    found.sort();
    for path in found {
        if path.is_dir() { directory(&path, parts)? } else { parts.push(path) }
    }
    Ok(())
}

/// What Hadoop and Beam keep beside the rows: `_SUCCESS`, `_temporary`, `.part-0.crc`.
fn is_hidden(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'))
}
