//! The service's configuration, from its environment.

use beamlet_guest::config::Problem;
use std::path::PathBuf;

/// The settings of the service.
pub struct Settings {
    /// The handler's configuration, a JSON object. The handler reads it, with the secrets that it
    /// refers to.
    pub config: String,
    /// The largest body that is accepted, in bytes.
    pub max_body_bytes: u64,
    /// The directory of the totals, if they are stored.
    pub totals: Option<PathBuf>,
    /// Whether each request is logged on standard error.
    pub log: bool,
}

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
        let config = get("BEAMLET_CONFIG").unwrap_or_else(|| {
            problem(
                "",
                "the environment variable BEAMLET_CONFIG is not set; it holds the handler's \
                 configuration, a JSON object"
                    .to_owned(),
            );
            String::new()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let totals = get("BEAMLET_METRICS_DIR").map(PathBuf::from);
        Ok(Settings { config, max_body_bytes, totals, log })
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
    fn what_is_not_set_has_a_default() {
        let settings = read(&[("BEAMLET_CONFIG", "{}")]).ok().unwrap();
        assert_eq!((settings.max_body_bytes, settings.log), (64 << 20, true));
        assert_eq!(settings.totals, None);
    }

    #[test]
    fn every_problem_is_reported_with_its_place() {
        let variables = [("BEAMLET_MAX_BODY_BYTES", "64 MiB"), ("BEAMLET_LOG", "loud")];
        assert_eq!(
            read(&variables).err().unwrap(),
            [
                "the configuration: BEAMLET_MAX_BODY_BYTES must be a whole number of bytes",
                "the configuration: BEAMLET_LOG must be on or off",
                "the configuration: the environment variable BEAMLET_CONFIG is not set; it holds the \
                 handler's configuration, a JSON object",
            ]
        );
    }
}
