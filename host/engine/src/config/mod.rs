//! The configuration that a user writes: the handler's tables, and the host's `run` and `sandbox`.
//!
//! Secrets are taken out before a handler sees the configuration. It gets placeholders, and the
//! [egress](crate::sandbox::Egress) puts the secrets into requests.

mod options;
mod secret;
mod tables;

#[doc(inline)]
pub use beamlet_config::{ConfigError, Document, Problem};
#[doc(inline)]
pub use beamlet_contract::join::OnConflict;
pub use options::{FailurePolicy, MaxFailures, OutputOptions, RunOptions, SandboxOptions};

use beamlet_config::{Problems, Section};
use beamlet_egress::{Allowed, Destination, Proxies, Secrets};
use serde_json::Value;

/// The keys of the host; all others are the handler's, or unknown.
const HOST_KEYS: [&str; 3] = ["handler", "run", "sandbox"];

/// A configuration, ready to set up a handler with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The handler's tables, with placeholders where secrets are.
    pub handler: Value,
    /// The secrets behind the placeholders.
    pub secrets: Secrets,
    /// The destinations of the URLs that the user wrote in the handler's tables.
    pub allowed: Allowed,
    /// The proxies between here and those destinations.
    pub proxies: Proxies,
    /// How to run.
    pub run: RunOptions,
    /// How rows come out.
    pub output: OutputOptions,
    /// What a handler may use.
    pub sandbox: SandboxOptions,
}

impl Config {
    /// Makes a configuration of a document. `schema` is the handler's: a field that it calls
    /// `writeOnly` is a secret.
    ///
    /// All problems that the host finds are returned with it; the handler may find more.
    pub fn new(document: &Document, schema: &Value) -> (Self, Vec<Problem>) {
        let mut problems = document.problems().to_vec();
        let mut secrets = Secrets::default();
        let mut handler = document.value().clone();
        let found = Problems::default();
        let root = Section::root(document.value(), &found);
        let directory = document.directory();
        let (run, output) = tables::run(root.section("run", false), directory);
        let sandbox = tables::sandbox(root.section("sandbox", false));
        if let Err(all) = found.or(Some(())) {
            // A value that the document refuses has a stand-in, which must not be a further problem.
            let new = |problem: &Problem| problems.iter().all(|known| known.path != problem.path);
            let new: Vec<Problem> = all.into_iter().filter(new).collect();
            problems.extend(new);
        }
        if let Some(tables) = handler.as_object_mut() {
            tables.retain(|name, _| !HOST_KEYS.contains(&name.as_str()));
        }
        let resolver = secret::Resolver::new(directory, schema);
        resolver.resolve(&mut handler, &mut secrets, &mut problems);
        let allowed = granted(&handler);
        let proxies = match sandbox.no_proxy {
            true => Ok(Proxies::default()),
            false => Proxies::of_environment(&allowed),
        };
        let proxies = proxies.unwrap_or_else(|found| {
            let problem = |why| Problem {
                path: "/sandbox/proxy".to_owned(),
                message: format!("{why}; `proxy = \"none\"` asks the store directly"),
            };
            problems.extend(found.into_iter().map(problem));
            Proxies::default()
        });
        (Config { handler, secrets, allowed, proxies, run, output, sandbox }, problems)
    }

    /// Where the handler's tables hold a secret as it is, and do not say where to find one: JSON
    /// Pointers. For who passes a configuration on, where it would be seen.
    pub fn literal_secrets(document: &Document, schema: &Value) -> Vec<String> {
        secret::Resolver::new(document.directory(), schema).literals(document.value())
    }
}

/// The destinations of every text in the handler's tables that is an http or https URL.
fn granted(handler: &Value) -> Allowed {
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

#[cfg(test)]
mod tests;
