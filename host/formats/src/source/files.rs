//! Which files a path, a directory or a pattern stands for.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::{Format, RowsError};

/// The files that `paths` stand for.
pub(super) fn resolved(paths: &[PathBuf]) -> Result<Vec<PathBuf>, RowsError> {
    let mut parts = Vec::new();
    for path in paths {
        if path.is_dir() {
            directory(path, &mut parts)?;
        } else if !path.exists() && path.to_str().is_some_and(is_pattern) {
            pattern(path, &mut parts)?;
        } else {
            // Opening it later shows whether it exists.
            parts.push(path.clone());
        }
    }
    if parts.is_empty() {
        return Err(RowsError::NoInput);
    }
    Ok(parts)
}

/// The format that the extensions name, if any; fails if they name two different ones.
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

/// The total size in bytes, if all parts are files.
pub(super) fn bytes(parts: &[PathBuf]) -> Option<u64> {
    let bytes = |part: &PathBuf| {
        let found = fs::metadata(part).ok().filter(|found| found.is_file());
        found.map(|found| found.len())
    };
    parts.iter().map(bytes).sum()
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
        // Silently skipping a directory would lose rows.
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
    deduplicate(&mut found);
    parts.append(&mut found);
    Ok(())
}

fn pattern(path: &Path, parts: &mut Vec<PathBuf>) -> Result<(), RowsError> {
    let mut found = Vec::new();
    for path in matches(path)? {
        if path.is_dir() { directory(&path, &mut found)? } else { found.push(path) }
    }
    if found.is_empty() {
        return Err(RowsError::NoMatch { pattern: path.to_owned() });
    }
    deduplicate(&mut found);
    parts.append(&mut found);
    Ok(())
}

/// Removes duplicate paths to the same file. A path without links is preferred.
fn deduplicate(paths: &mut Vec<PathBuf>) {
    let mut seen = HashSet::new();
    let file = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut kept: Vec<_> = paths.drain(..).map(|path| (file(&path), path)).collect();
    let is_link = |file: &Path, path: &Path| std::path::absolute(path).is_ok_and(|it| it != file);
    kept.sort_by_cached_key(|(file, path)| (is_link(file, path), path.clone()));
    kept.retain(|(file, _)| seen.insert(file.clone()));
    paths.extend(kept.into_iter().map(|(_, path)| path));
    paths.sort();
}

/// Whether Hadoop, Spark or Beam keep it beside the rows: `_SUCCESS`, `_temporary`, `.part-0.crc`.
/// A directory such as `_day=3` is a partition of rows in Spark.
fn is_hidden(name: &OsStr, is_directory: bool) -> bool {
    let name = name.as_encoded_bytes();
    match name.first() {
        Some(b'.') => true,
        Some(b'_') => !(is_directory && name.contains(&b'=')),
        _ => false,
    }
}

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// One part of a pattern between two slashes.
enum Step {
    /// A name, or `..`.
    Named(PathBuf),
    /// `**`: any directories below.
    Below,
    Matched {
        pattern: Pattern,
        /// Whether the pattern itself begins with `.` or `_`, and so matches hidden names.
        asks_for_hidden: bool,
    },
}

/// The paths that match `pattern`, in order.
fn matches(pattern: &Path) -> Result<Vec<PathBuf>, RowsError> {
    let text = pattern.to_str().unwrap_or_default();
    let bad = |error: glob::PatternError| RowsError::BadPattern {
        pattern: pattern.to_owned(),
        problem: error.msg,
    };
    Pattern::new(text).map_err(bad)?;
    let mut steps = Vec::new();
    for component in pattern.components() {
        let text = component.as_os_str().to_str().unwrap_or_default();
        steps.push(match component {
            Component::Normal(_) if text == "**" => Step::Below,
            Component::Normal(name) if is_pattern(text) => Step::Matched {
                pattern: Pattern::new(text).map_err(bad)?,
                asks_for_hidden: begins_hidden(name),
            },
            other => Step::Named(other.as_os_str().into()),
        });
    }
    let mut found = Vec::new();
    walk(Path::new(""), &steps, &mut found).map_err(|(name, cause)| RowsError::Open {
        name: name.display().to_string().into(),
        cause,
    })?;
    found.sort();
    Ok(found)
}

/// Whether a text contains a pattern's special characters.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn walk(base: &Path, steps: &[Step], found: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let Some((step, rest)) = steps.split_first() else {
        found.push(base.to_owned());
        return Ok(());
    };
    match step {
        Step::Named(name) => {
            let path = base.join(name);
            if path.symlink_metadata().is_ok() { walk(&path, rest, found) } else { Ok(()) }
        }
        Step::Matched { pattern, asks_for_hidden } => {
            for (path, is_directory) in entries(base)? {
                let name = path.file_name().unwrap_or_default();
                let wanted = *asks_for_hidden || !is_hidden(name, is_directory);
                if wanted && pattern.matches_with(&name.to_string_lossy(), OPTIONS) {
                    if rest.is_empty() {
                        found.push(path);
                    } else if is_directory {
                        walk(&path, rest, found)?;
                    }
                }
            }
            Ok(())
        }
        Step::Below => {
            let directories = directories_below(base)?;
            directories.iter().try_for_each(|directory| walk(directory, rest, found))
        }
    }
}

/// `base` and all directories below it, each once. A link is followed only if there is no other way
/// to its target.
fn directories_below(base: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let (mut open, mut links) = (vec![base.to_owned()], Vec::new());
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    while let Some(directory) = open.pop().or_else(|| links.pop()) {
        let place = if directory == Path::new("") { Path::new(".") } else { &directory };
        if !seen.insert(place.canonicalize().map_err(|error| (directory.clone(), error))?) {
            continue;
        }
        for (path, is_directory) in entries(&directory)? {
            if is_directory && !is_hidden(path.file_name().unwrap_or_default(), true) {
                if path.is_symlink() { links.push(path) } else { open.push(path) }
            }
        }
        found.push(directory);
    }
    Ok(found)
}

/// The entries of a directory, and whether each is a directory; empty if `directory` is not a
/// directory.
fn entries(directory: &Path) -> Result<Vec<(PathBuf, bool)>, (PathBuf, io::Error)> {
    let place = if directory == Path::new("") { Path::new(".") } else { directory };
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    let cannot = |error| (place.to_owned(), error);
    let mut found = Vec::new();
    for entry in fs::read_dir(place).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let path = directory.join(entry.file_name());
        let kind = entry.file_type().map_err(cannot)?;
        let is_directory = if kind.is_symlink() { path.is_dir() } else { kind.is_dir() };
        found.push((path, is_directory));
    }
    Ok(found)
}

fn begins_hidden(name: &OsStr) -> bool {
    matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'))
}
