//! The service's OpenAPI document.

use serde_json::{Value, json};

/// The document for any handler and any configuration.
const DOCUMENT: &str = include_str!("../openapi.json");

/// The document, with the fields that rows have to have: those that the handler reads.
pub fn document(required: &[String]) -> String {
    let mut document: Value = serde_json::from_str(DOCUMENT).expect("a test reads it");
    if !required.is_empty() {
        document["components"]["schemas"]["Row"]["required"] = json!(required);
    }
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Route;

    #[test]
    fn the_document_names_the_fields_that_rows_have_to_have() {
        let read =
            |required: &[String]| -> Value { serde_json::from_str(&document(required)).unwrap() };
        let row = &read(&["tailnum".to_owned()])["components"]["schemas"]["Row"];
        assert_eq!(row["required"], json!(["tailnum"]));
        assert_eq!(read(&[])["components"]["schemas"]["Row"].get("required"), None);
    }

    #[test]
    fn the_document_has_the_places_that_answer_and_their_methods() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        for (path, place) in document["paths"].as_object().unwrap() {
            for method in place.as_object().unwrap().keys() {
                assert!(Route::of(&method.to_uppercase(), path).is_ok(), "{method} {path}");
            }
        }
        assert_eq!(document["paths"].as_object().unwrap().len(), 5);
    }
}
