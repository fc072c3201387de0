//! Which destinations a configuration grants: those of the URLs that its user wrote.

use beamlet_egress::{Allowed, Destination};
use serde_json::Value;

/// The destinations of every text in the handler's tables that is an http or https URL.
pub(super) fn of(handler: &Value) -> Allowed {
    let mut allowed = Allowed::default();
    visit(handler, &mut allowed);
    allowed
}

fn visit(value: &Value, allowed: &mut Allowed) {
    match value {
        Value::String(text) => {
            if let Some(destination) = Destination::of_text(text) {
                allowed.grant(destination);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| visit(element, allowed)),
        Value::Object(map) => map.values().for_each(|value| visit(value, allowed)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
