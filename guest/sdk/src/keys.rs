//! Keys of rows: a column of any type, read as texts.

use crate::{Batch, Error, ErrorKind, Values};
use serde_json::Value;

impl Batch {
    /// The key of each row in the column of that name, as a text: a string as it is, a whole
    /// number in decimal, and `None` for null. A row whose value is anything else fails alone.
    ///
    /// # Errors
    /// There is no column of that name.
    pub fn keys(&self, name: &str) -> Result<Vec<Result<Option<String>, Error>>, Error> {
        let invalid = |message| Error::new(ErrorKind::InvalidInput, message);
        let column =
            self.column(name).ok_or_else(|| invalid(format!("the rows have no field `{name}`")))?;
        let mask = column.null_mask();
        let keys = mask.iter().enumerate().map(|(row, null)| match null {
            true => Ok(None),
            false => column.values.key(row).map_err(|is| {
                invalid(format!("field `{name}` is {is}; a key is a string or a whole number"))
            }),
        });
        Ok(keys.collect())
    }
}

impl Values {
    /// The value at a position as a key.
    ///
    /// # Errors
    /// Its type cannot be a key: what it is, in words.
    fn key(&self, at: usize) -> Result<Option<String>, &'static str> {
        Ok(Some(match self {
            Values::Strings(texts) => texts.get(at).to_owned(),
            Values::Int8s(list) => list[at].to_string(),
            Values::Int16s(list) => list[at].to_string(),
            Values::Int32s(list) => list[at].to_string(),
            Values::Int64s(list) => list[at].to_string(),
            Values::Json(texts) => match serde_json::from_str(texts.get(at)) {
                Ok(Value::Null) => return Ok(None),
                Ok(Value::String(text)) => text,
                Ok(Value::Number(number)) if !number.is_f64() => number.to_string(),
                Ok(other) => return Err(crate::config::kind(&other)),
                Err(_) => return Err("not JSON"),
            },
            Values::Booleans(_) => return Err("a boolean"),
            Values::Float32s(_) | Values::Float64s(_) => return Err("a fractional number"),
            Values::Bytes(_) => return Err("bytes"),
            Values::Timestamps(_) => return Err("a timestamp"),
            Values::Dates(_) => return Err("a date"),
            Values::Decimals(_) => return Err("a decimal"),
            Values::BooleanLists(_)
            | Values::Int64Lists(_)
            | Values::Float32Lists(_)
            | Values::Float64Lists(_)
            | Values::StringLists(_) => return Err("a list"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    fn keys(values: Values, nulls: &[u32]) -> Vec<Result<Option<String>, String>> {
        let rows = values.len() as u32;
        let column = Column { name: "key".to_owned(), values, nulls: nulls.to_vec() };
        let batch = Batch { rows, columns: vec![column] };
        let keys = batch.keys("key").unwrap().into_iter();
        keys.map(|key| key.map_err(|error| error.message)).collect()
    }

    fn found(text: &str) -> Result<Option<String>, String> {
        Ok(Some(text.to_owned()))
    }

    #[test]
    fn texts_and_whole_numbers_are_keys_and_null_is_none() {
        let texts = Values::Strings(["a", "", ""].into_iter().collect());
        assert_eq!(keys(texts, &[1]), [found("a"), Ok(None), found("")]);
        assert_eq!(keys(Values::Int64s(vec![i64::MIN]), &[]), [found("-9223372036854775808")]);
        let json = Values::Json([r#""a""#, "7", "null"].into_iter().collect());
        assert_eq!(keys(json, &[]), [found("a"), found("7"), Ok(None)]);
    }

    #[test]
    fn a_row_whose_value_is_no_key_fails_alone() {
        let error =
            |is: &str| Err(format!("field `key` is {is}; a key is a string or a whole number"));
        let json = Values::Json(["1.5", r#""a""#, "{", "[]"].into_iter().collect());
        let json = keys(json, &[]);
        assert_eq!(json[0], error("a fractional number"));
        assert_eq!(json[1..], [found("a"), error("not JSON"), error("an array")]);
        let floats = keys(Values::Float64s(vec![1.0, 0.0]), &[1]);
        assert_eq!(floats, [error("a fractional number"), Ok(None)]);
    }

    #[test]
    fn a_batch_without_the_column_is_refused() {
        let error = Batch::empty(1).keys("key").unwrap_err();
        assert_eq!(error.message, "the rows have no field `key`");
    }
}
