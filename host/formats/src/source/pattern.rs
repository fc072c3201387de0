//! The paths that match a pattern. Each directory is looked into once, so that links among them
//! make no circle.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::parts::is_hidden;
use crate::RowsError;

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
        /// Whether it begins as the names do that are left out, and asks for them.
        asks_for_hidden: bool,
    },
}

/// The paths that match `pattern`, in order.
pub(super) fn matches(pattern: &Path) -> Result<Vec<PathBuf>, RowsError> {
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

/// Whether a text holds what a pattern does.
pub(super) fn is_pattern(text: &str) -> bool {
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

/// `base` and all directories below it, each once: those behind a link only if no other way leads
/// there.
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

/// What is in a directory, and whether that is one, too; nothing where `directory` is none.
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
