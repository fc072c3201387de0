//! What happens to a feature whose name the row has itself.

/// Who wins where a row and a feature have one name.
///
/// An NDJSON row that stays NDJSON is judged by its own keys; rows with a header or a schema by
/// that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// The row's own field stays, and the feature is left out, as Beam's `cross_join` has it.
    #[default]
    Left,
    /// The feature's value stands in the own field's place, also where it is null. A row that is
    /// written without features keeps its own.
    Right,
    /// The run fails.
    Error,
    /// The feature gets this behind its name. Where that name is taken too, the run fails.
    Suffix(String),
}
