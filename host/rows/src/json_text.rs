//! What the crate knows of JSON texts: how Arrow marks a column of them, and what serde_json says
//! of a bad one.

use std::collections::HashMap;

use arrow_schema::Field;
use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};

/// The name of Arrow's canonical extension type for JSON texts.
pub(crate) const ARROW_JSON: &str = "arrow.json";

/// `field` as one of JSON texts.
pub(crate) fn marked(field: Field) -> Field {
    field.with_metadata(HashMap::from([
        (EXTENSION_TYPE_NAME_KEY.to_owned(), ARROW_JSON.to_owned()),
        (EXTENSION_TYPE_METADATA_KEY.to_owned(), String::new()),
    ]))
}

/// The message without its place, which the caller knows better.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    message.truncate(message.rfind(" at line ").unwrap_or(message.len()));
    // serde_json's word for a misspelt literal.
    message.replace("expected ident", "expected true, false or null")
}
