//! Join-key values as one byte string, the key by which a view's rows are found.

use crate::data_type::DataType;
use crate::json::Json;
use crate::value::{NotOfType, read_int64};

/// A join key's value, of the type that the service declares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KeyValue<'r> {
    Null,
    Int64(i64),
    Text(&'r str),
}

impl<'r> KeyValue<'r> {
    /// Reads a request's value.
    pub(crate) fn read(json: &'r Json<'_>, data_type: &DataType) -> Result<Self, NotOfType> {
        match (data_type, json) {
            (_, Json::Null) => Ok(Self::Null),
            (DataType::Int64, json) => Ok(Self::Int64(read_int64(json)?)),
            (_, Json::String(text)) => Ok(Self::Text(text)),
            _ => Err(NotOfType),
        }
    }
}

/// Values in the order of a view's keys. A text is preceded by its length, so that no two lists of
/// values make the same bytes.
#[derive(Debug, Default)]
pub(crate) struct EntityKey(Vec<u8>);

impl EntityKey {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a value. A null matches no row and adds nothing.
    pub(crate) fn push(&mut self, value: KeyValue<'_>) {
        match value {
            KeyValue::Null => {}
            KeyValue::Int64(number) => self.0.extend_from_slice(&number.to_le_bytes()),
            KeyValue::Text(text) => {
                self.0.extend_from_slice(&text.len().to_le_bytes());
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(values: &[KeyValue<'_>]) -> Vec<u8> {
        let mut key = EntityKey::default();
        values.iter().for_each(|value| key.push(*value));
        key.bytes().to_vec()
    }

    #[test]
    fn two_lists_of_texts_never_share_a_key() {
        let text = KeyValue::Text;
        assert_ne!(key(&[text("ab"), text("c")]), key(&[text("a"), text("bc")]));
    }

    #[test]
    fn a_number_and_its_decimal_text_are_one_key() {
        let number = Json::Int(7);
        let text = Json::String("7".into());
        assert_eq!(
            KeyValue::read(&number, &DataType::Int64),
            KeyValue::read(&text, &DataType::Int64)
        );
    }
}
