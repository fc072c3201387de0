//! Secrets that a configuration refers to, where no host has put them in.
//!
//! Beamlet's host takes secrets out of a configuration before a handler sees it, and shows a
//! handler no environment. Other hosts (the wasmtime command line, an HTTP server) pass a
//! configuration on as it is: there, `{ "env": "NAME" }` keeps a key out of a command line.

use crate::config::{Problem, Reference};
use beamlet_contract::pointer;
use serde_json::Value;
use std::path::Path;

/// The part of a configuration in which an object may refer to a secret, as in Beamlet's host:
/// elsewhere, `{ "env": "prod" }` is what it looks like, a value.
const TABLE: &str = "connection";

/// Puts secrets where objects refer to them. What cannot be read is a problem, and not missing
/// besides: a text stands in its place.
pub(crate) fn resolve(config: &mut Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(table) = config.get_mut(TABLE) {
        visit(table, &format!("/{TABLE}"), &mut problems);
    }
    problems
}

fn visit(value: &mut Value, path: &str, problems: &mut Vec<Problem>) {
    let Value::Object(map) = value else { return };
    let Some(reference) = Reference::of(map) else {
        for (name, value) in map {
            visit(value, &pointer::child(path, name), problems);
        }
        return;
    };
    let secret = reference.read(Path::new("/")).unwrap_or_else(|message| {
        problems.push(Problem { path: path.to_owned(), message });
        "unknown".to_owned()
    });
    *value = Value::String(secret);
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use serde_json::json;

    #[test]
    fn a_secret_comes_from_where_the_connection_refers_to_and_only_there() {
        // A variable that every process of a test has.
        let reference = json!({ "env": "CARGO_PKG_NAME" });
        let mut config = json!({
            "connection": { "api_key": reference, "kwargs": { "headers": { "x": reference } } },
            "retrieval": { "request_context_map": reference },
        });
        assert_eq!(resolve(&mut config), []);
        let secret = "beamlet-guest";
        assert_eq!(
            config,
            json!({
                "connection": { "api_key": secret, "kwargs": { "headers": { "x": secret } } },
                "retrieval": { "request_context_map": reference },
            })
        );
    }

    #[test]
    fn a_secret_that_is_not_there_is_told_with_its_place() {
        let mut config = json!({ "connection": {
            "api_key": { "env": "NO_SUCH_VARIABLE" }, "url": { "file": "no/such/file" },
        }});
        let told: Vec<_> = resolve(&mut config).iter().map(ToString::to_string).collect();
        assert_eq!(
            told[0],
            "/connection/api_key: the environment variable NO_SUCH_VARIABLE is not set"
        );
        assert!(told[1].starts_with("/connection/url: the file /no/such/file cannot be read"));
    }
}
