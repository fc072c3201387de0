//! The configuration compared with the store: can it be reached, is the key accepted, is the feature
//! service there, and does it take the keys and the context that are sent.

use crate::config::Configuration;
use crate::entity::{ENCODER, EntityRule};
use crate::response::Extras;
use crate::service::{Parameter, Service};
use beamlet_guest::check::{Findings, Places, URL, count, hint};
use beamlet_guest::contract::pointer;
use beamlet_guest::slots::Slot;
use beamlet_guest::{Datum, FieldType};
use beamlet_guest::{Error, GrpcError, Report, Response};
use serde_json::{Map, Value};

const API_KEY: &str = "/connection/api_key";
const SERVICE: &str = "/retrieval/feature_service_name";
const ENTITY_ID: &str = "/retrieval/entity_id";
const ENTITY_ROW_FN: &str = "/retrieval/entity_row_fn";
const CONTEXT_MAP: &str = "/retrieval/request_context_map";
const CONTEXT_FN: &str = "/retrieval/request_context_fn";

const PLACES: Places<'static> =
    Places { store: "Tecton", credential: API_KEY, resource: SERVICE, request: "/retrieval" };

/// The parts of a configuration that are compared.
pub(crate) struct Check {
    feature_service_name: String,
    workspace: String,
    by_name: bool,
    constants: Map<String, Value>,
    /// The parameters of the request context.
    pub(crate) context: Vec<String>,
}

impl Check {
    pub(crate) fn new(config: &Configuration) -> Self {
        let retrieval = &config.retrieval;
        let computed = retrieval.request_context_fn.iter().map(|(name, _)| name.clone());
        Check {
            feature_service_name: retrieval.feature_service_name.clone(),
            workspace: config.workspace().to_owned(),
            by_name: !retrieval.entity_id.is_empty(),
            constants: retrieval.request_context_map.clone(),
            context: retrieval.request_context_map.keys().cloned().chain(computed).collect(),
        }
    }

    /// Compares the configuration with the answer of the metadata endpoint.
    pub(crate) fn report(
        &self,
        answer: Result<&Response, &Error>,
        entity: &EntityRule,
        extras: Extras,
    ) -> Result<Report, Error> {
        let mut findings = Findings::default();
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                findings.problem(URL, error.message.clone());
                return Ok(findings.report(Vec::new()));
            }
        };
        if response.status != 200 {
            let error = response.grpc_refusal();
            if error.retryable {
                return Err(error);
            }
            let is_tectons = GrpcError::of(response).is_some_and(|body| body.message().is_some());
            findings.refused(response, &error, is_tectons, PLACES);
            return Ok(findings.report(Vec::new()));
        }
        let service = match Service::read(response) {
            Ok(service) => service,
            Err(why) => {
                findings.problem(URL, format!("{why}; is this Tecton?"));
                return Ok(findings.report(Vec::new()));
            }
        };
        findings.reached();
        findings.ok(API_KEY, "the key is accepted");
        let (name, workspace) = (&self.feature_service_name, &self.workspace);
        let features = count(service.features.len(), "feature");
        let found = format!("`{name}` is in workspace `{workspace}` and has {features}");
        findings.ok(SERVICE, found);
        if service.is_wildcard() {
            let message = format!(
                "`{name}` is a wildcard feature service: it answers with many rows for one entity, \
                 and a row is enriched with one; name another feature service"
            );
            findings.problem(SERVICE, message);
        }
        self.join_keys(&service, entity, &mut findings);
        self.context(&service, entity, &mut findings);
        Ok(findings.report(extras.outputs(&service)))
    }

    fn join_keys(&self, service: &Service, entity: &EntityRule, findings: &mut Findings) {
        let place = if self.by_name { ENTITY_ID } else { ENTITY_ROW_FN };
        let sent: Vec<&str> =
            entity.slots().filter(|slot| slot.is_key()).map(|slot| &*slot.name).collect();
        let before = findings.problems();
        for key in service.join_keys.iter().filter(|key| !sent.contains(&key.name.as_str())) {
            let (name, of) = (&key.name, &key.of);
            let message =
                format!("the service needs the join key `{name}` ({of}), which is not sent");
            findings.problem(place, message);
        }
        for key in &service.join_keys {
            if !matches!(key.of, FieldType::String | FieldType::Int64 | FieldType::Json) {
                let message = format!(
                    "the join key `{}` is {}; only keys of type string and int64 can be sent",
                    key.name, key.of
                );
                findings.problem(place, message);
            }
        }
        let wanted = names(&service.join_keys);
        for slot in entity.slots().filter(|slot| slot.is_key()) {
            let name = &slot.name;
            let place = if self.by_name {
                ENTITY_ID.to_owned()
            } else {
                pointer::child(ENTITY_ROW_FN, name)
            };
            match service.join_keys.iter().find(|key| key.name == *name) {
                None => {
                    let message =
                        format!("the service has no join key `{name}`{}", hint(name, &wanted));
                    findings.problem(place, message);
                }
                Some(key) => computed(findings, &place, slot, key),
            }
        }
        if findings.problems() == before {
            let message = match wanted.as_slice() {
                [] => "the service has no join keys, and none are sent".to_owned(),
                wanted => format!("the join keys are those of the service: {}", wanted.join(", ")),
            };
            findings.ok(place, message);
        }
    }

    fn context(&self, service: &Service, entity: &EntityRule, findings: &mut Findings) {
        let wanted = names(&service.context);
        let before = findings.problems();
        for key in service.context.iter().filter(|key| !self.context.contains(&key.name)) {
            let (name, of) = (&key.name, &key.of);
            let message = format!(
                "the service needs the request context parameter `{name}` ({of}), which is not sent; set it here, or in `request_context_fn`"
            );
            findings.problem(CONTEXT_MAP, message);
        }
        let unknown = |name: &str| {
            format!("the service has no request context parameter `{name}`{}", hint(name, &wanted))
        };
        for (name, value) in &self.constants {
            let place = pointer::child(CONTEXT_MAP, name);
            match service.context.iter().find(|key| key.name == *name) {
                None => findings.warning(place, unknown(name)),
                Some(key) if !fits(value, &key.of) => {
                    let message =
                        format!("`{name}` must be {}, is {}", key.of, other(value, &key.of));
                    findings.problem(place, message);
                }
                Some(_) => {}
            }
        }
        for slot in entity.slots().filter(|slot| !slot.is_key()) {
            let name = &slot.name;
            let place = pointer::child(CONTEXT_FN, name);
            match service.context.iter().find(|key| key.name == *name) {
                None => findings.warning(place, unknown(name)),
                Some(key) => computed(findings, &place, slot, key),
            }
        }
        if findings.problems() == before && !service.context.is_empty() {
            let message = format!(
                "the request context has all that the service needs: {}",
                wanted.join(", ")
            );
            findings.ok(CONTEXT_MAP, message);
        }
    }
}

fn names(wanted: &[Parameter]) -> Vec<&str> {
    wanted.iter().map(|key| key.name.as_str()).collect()
}

/// Compares what an expression yields for every row: its value, or its type.
fn computed(findings: &mut Findings, path: &str, slot: &Slot, key: &Parameter) {
    let (expression, is_key) = (&slot.expression, slot.is_key());
    let value = match expression.constant() {
        Some(Ok(value)) => value,
        Some(Err(_)) => return,
        None => match expression.yields() {
            // Whether a text fits is known only with a row.
            None | Some(Datum::Text(_)) => return,
            Some(value) => value,
        },
    };
    let mut wire = String::new();
    let pushed = if is_key {
        ENCODER.key(&mut wire, &value)
    } else {
        ENCODER.typed(&mut wire, &value, &key.of)
    };
    let (name, is) = (&key.name, value.kind());
    if let (true, Err(why)) = (is_key, pushed) {
        let message = format!("`{name}` is {is}; {why}");
        findings.problem(path, message);
    } else if !serde_json::from_str(&wire).is_ok_and(|sent| fits(&sent, &key.of)) {
        findings.problem(path, format!("`{name}` must be {}, is {is}", key.of));
    }
}

/// Whether a value can be sent as a type, and Tecton takes it.
fn fits(value: &Value, of: &FieldType) -> bool {
    match (of, value) {
        (FieldType::Timestamp, Value::String(text)) => {
            beamlet_guest::contract::time::is_timestamp(text)
        }
        (of, value) => ENCODER.json(&mut String::new(), value, of).is_ok(),
    }
}

/// Describes a value that Tecton does not take for a type.
fn other(value: &Value, of: &FieldType) -> &'static str {
    match (of, value) {
        (FieldType::Array(_), Value::Array(_)) => "an array with an element of another type",
        (FieldType::Map(_) | FieldType::Struct(_), Value::Object(_)) => {
            "an object with a member of another type"
        }
        (FieldType::Struct(_), Value::Array(_)) => "an array with other members",
        (FieldType::Int64 | FieldType::Float32 | FieldType::Float64, Value::String(_)) => {
            "a string that is not such a number"
        }
        (FieldType::Timestamp, Value::String(_)) => "a string that is not an RFC 3339 timestamp",
        (_, value) => beamlet_guest::config::kind(value),
    }
}

#[cfg(test)]
mod tests;
