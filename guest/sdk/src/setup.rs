//! Set-up of a handler: parses the configuration, and reads the secrets that it refers to.
//!
//! Beamlet's host takes secrets out of a configuration before a handler sees it, and gives a handler
//! no environment. Other hosts (the wasmtime command line, an HTTP server) pass a configuration on as
//! it is. There, `{ "env": "NAME" }` keeps a key out of a command line.

use crate::Handler;
use crate::config::{Json, Problem, Reference};
use beamlet_contract::pointer;
use serde_json::Value;
use std::path::Path;

/// Parses a configuration, and makes a handler of it.
pub(crate) fn setup<H: Handler>(config: &str) -> Result<H, Vec<Problem>> {
    let Json { mut value, mut problems, .. } = Json::parse(config)
        .map_err(|error| vec![Problem { path: String::new(), message: error.to_string() }])?;
    problems.extend(resolve(&mut value));
    match H::new(&value) {
        Ok(handler) if problems.is_empty() => Ok(handler),
        Ok(_) => Err(problems),
        Err(more) => {
            let known: Vec<String> = problems.iter().map(|problem| problem.path.clone()).collect();
            problems.extend(more.into_iter().filter(|problem| !known.contains(&problem.path)));
            Err(problems)
        }
    }
}

/// The part of a configuration in which an object may refer to a secret, as in Beamlet's host.
/// Elsewhere, `{ "env": "prod" }` is a value.
const TABLE: &str = "connection";

/// Replaces references by secrets. Where a secret cannot be read, that is a problem, and a text
/// stands in its place, so that it is not reported as missing, too.
fn resolve(config: &mut Value) -> Vec<Problem> {
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
    fn a_secret_that_is_not_there_is_reported_with_its_place() {
        let mut config = json!({ "connection": {
            "api_key": { "env": "NO_SUCH_VARIABLE" }, "url": { "file": "no/such/file" },
        }});
        let lines: Vec<_> = resolve(&mut config).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines[0],
            "/connection/api_key: the environment variable NO_SUCH_VARIABLE is not set"
        );
        assert!(lines[1].starts_with("/connection/url: the file /no/such/file cannot be read"));
    }
}
