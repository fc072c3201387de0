//! Which files a path, a directory or a pattern stands for.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::pattern;
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
    path.to_str().is_some_and(pattern::is_pattern)
}

fn directory(path: &Path, parts: &mut Vec<PathBuf>) -> Result<(), RowsError> {
    let cannot = |cause| RowsError::Open { name: path.display().to_string().into(), cause };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let is_directory = entry.path().is_dir();
        if is_hidden(&entry.file_name(), is_directory) {
            continue;
        }
        // What is left out without a word would be missed.
        if is_directory {
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
    once(&mut found);
    parts.append(&mut found);
    Ok(())
}

fn pattern(path: &Path, parts: &mut Vec<PathBuf>) -> Result<(), RowsError> {
    let mut found = Vec::new();
    for path in pattern::matches(path)? {
        if path.is_dir() { directory(&path, &mut found)? } else { found.push(path) }
    }
    if found.is_empty() {
        return Err(RowsError::NoMatch { pattern: path.to_owned() });
    }
    once(&mut found);
    parts.append(&mut found);
    Ok(())
}

/// Leaves out a file that stands there by another path, too: the one that is no link stays.
fn once(paths: &mut Vec<PathBuf>) {
    let mut seen = HashSet::new();
    let file = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut kept: Vec<_> = paths.drain(..).map(|path| (file(&path), path)).collect();
    let is_link = |file: &Path, path: &Path| std::path::absolute(path).is_ok_and(|it| it != file);
    kept.sort_by_cached_key(|(file, path)| (is_link(file, path), path.clone()));
    kept.retain(|(file, _)| seen.insert(file.clone()));
    paths.extend(kept.into_iter().map(|(_, path)| path));
    paths.sort();
}

/// What Hadoop, Spark and Beam keep beside the rows: `_SUCCESS`, `_temporary`, `.part-0.crc`. A
/// directory such as `_day=3` is a partition of rows, as Spark has it.
pub(super) fn is_hidden(name: &OsStr, is_directory: bool) -> bool {
    let name = name.as_encoded_bytes();
    match name.first() {
        Some(b'.') => true,
        Some(b'_') => !(is_directory && name.contains(&b'=')),
        _ => false,
    }
}
