//! What stands around the rows of an answer is most likely the same, to the letter, in the next one:
//! what it says is known then, and only the rows have to be read.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What stands around an answer's rows.
pub(crate) struct Template {
    before: Box<str>,
    after: Box<str>,
    /// What the metadata in it says of partial results.
    pub(crate) partial: bool,
}

impl Template {
    /// What stands around the rows of this answer.
    pub(crate) fn of(text: &str, partial: bool) -> serde_json::Result<Self> {
        let Found { result } = serde_json::from_str(text)?;
        // It borrows from the text.
        let before = result.get().as_ptr().addr() - text.as_ptr().addr();
        let after = before + result.get().len();
        Ok(Template { before: text[..before].into(), after: text[after..].into(), partial })
    }

    /// The text of the rows, where this stands around them.
    pub(crate) fn rows<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (before, after) = (self.before.len(), self.after.len());
        let rows = text.get(before..text.len().checked_sub(after)?)?;
        let is = |part: &str, of: &str| same(part.as_bytes(), of.as_bytes());
        (is(&text[..before], &self.before) && is(&text[before + rows.len()..], &self.after))
            .then_some(rows)
    }
}

/// Whether both are the same: eight bytes at a time, where the target's `memcmp` takes one.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let ((a, a_rest), (b, b_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    a.len() == b.len()
        && a_rest == b_rest
        && a.iter().zip(b).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
}

/// An answer of which only the rows are looked for.
#[derive(Deserialize)]
struct Found<'a> {
    #[serde(borrow)]
    result: &'a RawValue,
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn rows_are_found_by_what_stood_around_those_of_the_answer_before() {
        let text = r#"{"result": [1, 2], "metadata": {}}"#;
        let around = Template::of(text, false).unwrap();
        assert_eq!(around.rows(text), Some("[1, 2]"));
        assert_eq!(around.rows(r#"{"result": [], "metadata": {}}"#), Some("[]"));
        // Whether that is a list of rows is for the parser to say.
        let twice = r#"{"result": [], "result": [1], "metadata": {}}"#;
        assert_eq!(around.rows(twice), Some(r#"[], "result": [1]"#));
        for other in [r#"{"result":[1, 2], "metadata": {}}"#, r#"{"result": [1, 2]}"#, "{", ""] {
            assert_eq!(around.rows(other), None, "{other}");
        }
        // Too short for both, though it begins and ends as they do.
        assert_eq!(around.rows(r#"{"result": , "metadata": {}}"#), Some(""));
        assert_eq!(around.rows(r#"{"result": "metadata": {}}"#), None);
        assert_eq!(around.rows("{\"result\": \u{fc}, \"metadata\": {}}"), Some("\u{fc}"));
    }
}
