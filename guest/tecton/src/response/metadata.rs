//! Everything of an answer but its rows: names and types of the features, and the text around
//! the rows, which is most likely the same in the next answer.

use crate::service::WireType;
use beamlet_guest::{Batch, Error, ErrorKind, FieldType, RowFailure};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// An answer that was read.
pub(super) struct Parsed<'a> {
    pub(super) features: Arc<[Feature]>,
    /// The features' values; null in the rows that failed.
    pub(super) fields: Batch,
    /// Rows with a value that cannot be read.
    pub(super) failures: Vec<RowFailure>,
    /// Whether the answer says that its results are partial.
    pub(super) partial: bool,
    /// The metadata of the features and of the service level, as text. Not read where the handler
    /// does not need it.
    pub(super) texts: Option<(&'a str, Option<&'a RawValue>)>,
}

/// A feature that comes out.
pub(super) struct Feature {
    pub(super) name: String,
    pub(super) of: FieldType,
}

/// What is known of the last answer, and of the next one where it has the same text around its rows.
pub(super) struct Known {
    /// The metadata of the features, as text.
    pub(super) text: Box<str>,
    pub(super) features: Arc<[Feature]>,
    pub(super) template: Template,
}

/// The metadata of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) features: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) slo_info: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_results: Option<&'a RawValue>,
}

impl Metadata<'_> {
    pub(super) fn is_partial(&self) -> bool {
        self.partial_results.is_some_and(|value| value.get() != "false")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFeature<'a> {
    name: Option<String>,
    #[serde(borrow)]
    data_type: Option<WireType<'a>>,
}

/// The text of an answer around its rows.
pub(super) struct Template {
    before: Box<str>,
    after: Box<str>,
    /// Whether the metadata in it says that results are partial.
    pub(super) partial: bool,
}

impl Template {
    /// The text around the rows of this answer.
    pub(super) fn of(text: &str, partial: bool) -> serde_json::Result<Self> {
        let RowsOnly { result } = serde_json::from_str(text)?;
        // It borrows from the text.
        let before = result.get().as_ptr().addr() - text.as_ptr().addr();
        let after = before + result.get().len();
        Ok(Template { before: text[..before].into(), after: text[after..].into(), partial })
    }

    /// The rows of another answer, where the text around them is the same.
    pub(super) fn rows<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (before, after) = (self.before.len(), self.after.len());
        let rows = text.get(before..text.len().checked_sub(after)?)?;
        let is = |part: &str, of: &str| same(part.as_bytes(), of.as_bytes());
        (is(&text[..before], &self.before) && is(&text[before + rows.len()..], &self.after))
            .then_some(rows)
    }
}

/// Whether both are the same. Compares eight bytes at a time: `memcmp` of the target compares one.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    let ((a, a_rest), (b, b_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    a.len() == b.len()
        && a_rest == b_rest
        && a.iter().zip(b).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
}

/// An answer of which only the rows are wanted.
#[derive(Deserialize)]
struct RowsOnly<'a> {
    #[serde(borrow)]
    result: &'a RawValue,
}

/// Reads names and types of the features, in the order of their values.
pub(super) fn read_features(text: &str) -> Result<Vec<Feature>, Error> {
    let wire: Vec<WireFeature<'_>> = serde_json::from_str(text).map_err(|e| not_metadata(&e))?;
    wire.into_iter()
        .enumerate()
        .map(|(at, feature)| match (feature.name, feature.data_type) {
            (Some(name), Some(of)) => Ok(Feature { name, of: (&of).into() }),
            (None, _) => Err(broken(&format!("feature {at} has no name"))),
            (Some(name), None) => Err(broken(&format!("feature `{name}` has no data type"))),
        })
        .collect()
}

pub(super) fn not_metadata(error: &serde_json::Error) -> Error {
    broken(&format!("its metadata is not of the promised form: {error}"))
}

/// An answer that is not what the store promises.
pub(super) fn broken(why: &str) -> Error {
    Error::new(ErrorKind::BadResponse, format!("the feature store's answer cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn rows_are_found_by_the_text_around_those_of_the_answer_before() {
        let text = r#"{"result": [1, 2], "metadata": {}}"#;
        let template = Template::of(text, false).unwrap();
        assert_eq!(template.rows(text), Some("[1, 2]"));
        assert_eq!(template.rows(r#"{"result": [], "metadata": {}}"#), Some("[]"));
        // The parser decides whether that is a list of rows.
        let twice = r#"{"result": [], "result": [1], "metadata": {}}"#;
        assert_eq!(template.rows(twice), Some(r#"[], "result": [1]"#));
        for other in [r#"{"result":[1, 2], "metadata": {}}"#, r#"{"result": [1, 2]}"#, "{", ""] {
            assert_eq!(template.rows(other), None, "{other}");
        }
        // Too short for both, though it begins and ends as they do.
        assert_eq!(template.rows(r#"{"result": , "metadata": {}}"#), Some(""));
        assert_eq!(template.rows(r#"{"result": "metadata": {}}"#), None);
        assert_eq!(template.rows("{\"result\": \u{fc}, \"metadata\": {}}"), Some("\u{fc}"));
    }
}
