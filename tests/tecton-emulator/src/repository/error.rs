//! The errors of a repository, each with its place.

use std::path::PathBuf;

/// A repository that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The repository file is not TOML, or does not have the form of a repository; the text names
    /// line and column.
    #[error("{file}: {source}")]
    Toml {
        /// The repository file.
        file: String,
        /// The problem and its place.
        source: Box<toml::de::Error>,
    },
    /// The repository contradicts itself.
    #[error("{place}: {problem}")]
    Invalid {
        /// The file and the workspace, service, view and feature in it.
        place: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A source has an invalid row.
    #[error("{place}: {source_name}, line {line}, column `{column}`: {problem}")]
    Cell {
        /// The file and the workspace, service, view and feature in it.
        place: String,
        /// The CSV file, or the name of the embedded CSV.
        source_name: String,
        /// The line of the CSV, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What is wrong.
        problem: String,
    },
}
