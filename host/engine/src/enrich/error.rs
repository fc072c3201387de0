//! Why rows cannot be enriched, or not be joined with their features.

use crate::plugin::PluginError;
use arrow_schema::{ArrowError, DataType};
use beamlet_contract::join::Clash;

/// Rows cannot be enriched, neither these nor others.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrichError {
    /// The handler cannot be set up, or refuses everything.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The cache cannot be used as it is configured.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The machine gives no thread to run the handler on.
    #[error("a thread for the handler cannot be started: {0}")]
    Threads(#[from] std::io::Error),
    /// A blocking function was called where it must not wait.
    #[error(
        "a thread of a current-thread tokio runtime must not wait for a handler: await the function \
         without `_blocking`, or call this one on a thread without a runtime"
    )]
    CannotBlock,
    /// The rows have no field that each must have.
    #[error(
        "the rows have no field `{field}`, which the handler needs of each; add it, or change the configuration"
    )]
    FieldMissing {
        /// The field.
        field: String,
    },
    /// A field has a type of which no handler can be shown a value.
    #[error(
        "field `{field}` is of type {data_type}, which no handler can be shown: {problem}; cast it"
    )]
    FieldType {
        /// The field.
        field: String,
        /// Its Arrow type.
        data_type: DataType,
        /// Why not.
        problem: &'static str,
    },
    /// The rows or the features are of a type that cannot be handled.
    #[error("the rows cannot be compared or put together: {0}")]
    Arrow(#[from] ArrowError),
}

/// The cache cannot be used as it is configured. Says nothing of the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The URL is none of a Redis.
    #[error("the cache: `redis` is no URL of a Redis, such as redis://localhost:6379/0")]
    Url,
    /// The library is built without Redis.
    #[error(
        "the cache: `redis` is configured, and this program is built without the feature `redis`"
    )]
    NotBuiltIn,
}

/// The features of some rows have other names or types than those of others, or than the store declares:
/// the feature service was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the features of these rows differ: {0}; the feature service was changed since the handler was set \
     up, set it up anew"
)]
pub struct FeaturesError(pub(super) String);

/// Rows cannot be joined with their features.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The features differ among themselves.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// The rows are not those that were enriched.
    #[error("there are {rows} rows and answers for {answers}: join the rows that were enriched")]
    Rows {
        /// The rows.
        rows: usize,
        /// The answers.
        answers: usize,
    },
    /// A row and the features have a field, and that is to be an error.
    #[error(
        "field `{field}` is in the rows and among the features; choose left, right or a suffix"
    )]
    Conflict {
        /// The field.
        field: String,
    },
    /// The name that a suffix makes is taken.
    #[error(
        "field `{field}` is in the rows and among the features, and so is `{renamed}`; choose another suffix"
    )]
    SuffixTaken {
        /// The field.
        field: String,
        /// What the suffix makes of it.
        renamed: String,
    },
    /// A feature is to stand where rows without features keep a value of another type.
    #[error(
        "field `{field}` is {own} in the rows and {feature} among the features, and a row without features keeps its own; choose left or a suffix"
    )]
    Types {
        /// The field.
        field: String,
        /// The type in the rows.
        own: DataType,
        /// The type among the features.
        feature: DataType,
    },
    /// Arrow cannot make the columns.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

impl From<Clash> for JoinError {
    fn from(clash: Clash) -> Self {
        match clash {
            Clash::Conflict { field } => JoinError::Conflict { field },
            Clash::Suffix { field, renamed } => JoinError::SuffixTaken { field, renamed },
        }
    }
}
