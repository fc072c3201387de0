//! What the configuration may hold, as a JSON Schema.

use super::Configuration;
use beamlet_guest::config::camel_case;
use serde_json::{Value, json};

/// The JSON Schema of [`Configuration`].
pub(crate) fn schema() -> String {
    let mut schema = schemars::schema_for!(Configuration).to_value();
    for options in ["RequestOptions", "MetadataOptions"] {
        in_either_case(&mut schema, options);
    }
    schema.to_string()
}

/// Adds each property of a definition in camelCase too, by reference.
fn in_either_case(schema: &mut Value, definition: &str) {
    let pointer = format!("/$defs/{definition}/properties");
    let Some(Value::Object(properties)) = schema.pointer_mut(&pointer) else { return };
    let names: Vec<String> = properties.keys().cloned().collect();
    for name in names {
        let reference = json!({ "$ref": format!("#{pointer}/{name}") });
        properties.insert(camel_case(&name), reference);
    }
}
