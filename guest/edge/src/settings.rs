//! The service's configuration, from its environment.

use beamlet_guest::config::{Problem, Reference, kind, pointer};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What may be set.
pub struct Settings {
    /// The handler's configuration, a JSON object, with the secrets it refers to.
    pub config: String,
    /// The largest body that is taken, in bytes.
    pub max_body_bytes: u64,
    /// Where totals are kept, if anywhere.
    pub totals: Option<PathBuf>,
    /// Whether each request is told on standard error.
    pub log: bool,
}

/// The part of the configuration in which an object may refer to a secret, as in Beamlet's host.
const TABLE: &str = "connection";
const MAX_BODY_BYTES: u64 = 64 << 20;

impl Settings {
    /// Reads the settings with `get`, which knows the environment's variables.
    ///
    /// # Errors
    /// All problems, with JSON Pointers into `BEAMLET_CONFIG`.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |path: &str, message: String| {
            problems.push(Problem { path: path.to_owned(), message });
        };
        let max_body_bytes = match get("BEAMLET_MAX_BODY_BYTES").map(|text| text.parse()) {
            None => MAX_BODY_BYTES,
            Some(Ok(bytes)) => bytes,
            Some(Err(_)) => {
                problem("", "BEAMLET_MAX_BODY_BYTES must be a whole number of bytes".to_owned());
                MAX_BODY_BYTES
            }
        };
        let log = match get("BEAMLET_LOG").as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => {
                problem("", "BEAMLET_LOG must be on or off".to_owned());
                true
            }
        };
        let mut config = Value::Null;
        match get("BEAMLET_CONFIG").as_deref().map(serde_json::from_str::<Value>) {
            None => problem(
                "",
                "the environment variable BEAMLET_CONFIG is not set; it holds the handler's \
                 configuration, a JSON object"
                    .to_owned(),
            ),
            Some(Err(error)) => problem("", format!("BEAMLET_CONFIG is not JSON: {error}")),
            Some(Ok(Value::Object(map))) => config = Value::Object(map),
            Some(Ok(other)) => {
                problem("", format!("BEAMLET_CONFIG must be an object, is {}", kind(&other)));
            }
        }
        if let Some(table) = config.get_mut(TABLE) {
            resolve(table, &format!("/{TABLE}"), &mut problems);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let totals = get("BEAMLET_METRICS_DIR").map(PathBuf::from);
        Ok(Settings { config: config.to_string(), max_body_bytes, totals, log })
    }
}

/// Puts secrets where objects refer to them.
fn resolve(value: &mut Value, path: &str, problems: &mut Vec<Problem>) {
    let Value::Object(map) = value else { return };
    let Some(reference) = Reference::of(map) else {
        for (name, value) in map {
            resolve(value, &pointer(path, name), problems);
        }
        return;
    };
    match reference.read(Path::new("/")) {
        Ok(secret) => *value = Value::String(secret),
        Err(message) => problems.push(Problem { path: path.to_owned(), message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let get = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(get).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_secret_comes_from_where_the_connection_refers_to_and_only_there() {
        // A variable that every test process has.
        let config = r#"{"connection":{"api_key":{"env":"CARGO_PKG_NAME"},"kwargs":{"headers":
            {"x":{"env":"CARGO_PKG_NAME"}}}},"retrieval":{"request_context_map":{"env":"prod"}}}"#;
        let settings = read(&[("BEAMLET_CONFIG", config)]).ok().unwrap();
        assert_eq!(
            settings.config,
            r#"{"connection":{"api_key":"beamlet-edge","kwargs":{"headers":{"x":"beamlet-edge"}}},"retrieval":{"request_context_map":{"env":"prod"}}}"#
        );
        assert_eq!((settings.max_body_bytes, settings.log), (64 << 20, true));
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let variables = [
            ("BEAMLET_CONFIG", r#"{"connection":{"api_key":{"env":"NO_SUCH_VARIABLE"}}}"#),
            ("BEAMLET_MAX_BODY_BYTES", "64 MiB"),
            ("BEAMLET_LOG", "loud"),
        ];
        assert_eq!(
            read(&variables).err().unwrap(),
            [
                "the configuration: BEAMLET_MAX_BODY_BYTES must be a whole number of bytes",
                "the configuration: BEAMLET_LOG must be on or off",
                "/connection/api_key: the environment variable NO_SUCH_VARIABLE is not set",
            ]
        );
        assert!(read(&[]).err().unwrap()[0].contains("BEAMLET_CONFIG is not set"));
        assert!(read(&[("BEAMLET_CONFIG", "{")]).err().unwrap()[0].contains("is not JSON"));
        assert!(read(&[("BEAMLET_CONFIG", "[]")]).err().unwrap()[0].contains("is an array"));
    }
}
