//! The export: each request to its place, and what became of it to the log and the counts.

use crate::account::Account;
use crate::bindings::export;
use crate::bindings::exports::wasi::http::incoming_handler::Guest;
use crate::enrich::enrich;
use crate::instance::{self, Instance};
use crate::openapi;
use crate::problem::Problem;
use crate::reply::{problem, whole};
use crate::route::{NoRoute, Route};
use crate::totals::Totals;
use beamlet_guest::bindings::wasi::http::types::{IncomingRequest, Method, ResponseOutparam};
use serde_json::{Value, json};

struct Edge;

impl Guest for Edge {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        instance::with(|instance| {
            let mut account = Account::new(instance.as_ref().ok());
            answer(instance, &request, out, &mut account);
            account.close();
        });
    }
}

/// Sends a request to its place.
fn answer(
    instance: &Result<Instance, Vec<beamlet_guest::config::Problem>>,
    request: &IncomingRequest,
    out: ResponseOutparam,
    account: &mut Account<'_>,
) {
    let path = request.path_with_query().unwrap_or_default();
    let route = match Route::of(&method(request), &path) {
        Ok(route) => route,
        Err(NoRoute::Path) => {
            let detail = "there is no such path; /openapi.json tells which there are";
            return problem(out, account, &Problem::new(404, detail));
        }
        Err(NoRoute::Method(route)) => {
            account.told.route = Some(route);
            let detail = format!("{} takes {}", route.path(), route.allow());
            let refusal = Problem::new(405, detail).header("allow", route.allow());
            return problem(out, account, &refusal);
        }
    };
    account.told.route = Some(route);
    let json = [("content-type", "application/json")];
    match (route, instance) {
        (Route::OpenApi, instance) => {
            let inputs = instance.as_ref().map(|it| it.inputs.as_slice()).unwrap_or_default();
            let required = inputs.iter().filter(|(_, required)| *required);
            let required: Vec<_> = required.map(|(name, _)| name.clone()).collect();
            whole(out, account, 200, &json, &openapi::document(&required));
        }
        (Route::Health, Ok(_)) => whole(out, account, 200, &json, r#"{"status":"ok"}"#),
        (Route::Health, Err(problems)) => {
            problem(out, account, &Problem::of_configuration(problems));
        }
        (_, Err(_)) => {
            let detail = "the service is not configured; /healthz tells what is wrong";
            problem(out, account, &Problem::new(500, detail));
        }
        (Route::Enrich, Ok(instance)) => enrich(instance, request, out, account),
        (Route::Schema, Ok(instance)) => match schema(instance) {
            Ok(schema) => whole(out, account, 200, &json, &schema.to_string()),
            Err(refusal) => problem(out, account, &refusal),
        },
        (Route::Metrics, Ok(instance)) => match metrics(instance) {
            Ok(text) => {
                let type_ = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
                whole(out, account, 200, &type_, &text);
            }
            Err(refusal) => problem(out, account, &refusal),
        },
    }
}

/// What the handler reads, and what the store says that it adds.
fn schema(instance: &Instance) -> Result<Value, Problem> {
    let outputs = instance.handler.outputs().map_err(|error| Problem::of_store(&error))?;
    let inputs: Value = instance
        .inputs
        .iter()
        .map(|(name, required)| json!({ "name": name, "required": required }))
        .collect();
    let outputs: Value =
        outputs.iter().map(|field| json!({ "name": field.name, "type": field.type_ })).collect();
    Ok(json!({ "inputs": inputs, "outputs": outputs }))
}

/// The totals of all instances, where they are kept; else what this one has counted.
fn metrics(instance: &Instance) -> Result<String, Problem> {
    let Some(directory) = &instance.settings.totals else {
        return Ok(instance.counts.borrow().exposition());
    };
    let counts = Totals::new(directory).read().map_err(|error| {
        let directory = directory.display();
        Problem::new(500, format!("the counts in {directory} cannot be read: {error}"))
    })?;
    Ok(counts.exposition())
}

/// The method, in capitals.
fn method(request: &IncomingRequest) -> String {
    match request.method() {
        Method::Get => "GET".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Post => "POST".to_owned(),
        other => format!("{other:?}"),
    }
}

export!(Edge with_types_in crate::bindings);
