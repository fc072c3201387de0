//! The export: each request to its place, and what became of it to the log and the counts.

use crate::contract::export;
use crate::contract::exports::wasi::http::incoming_handler::Guest;
use crate::enrich::enrich;
use crate::instance::{self, Instance};
use crate::openapi;
use crate::problem::Problem;
use crate::reply::{problem, whole};
use crate::route::{NoRoute, Route};
use crate::told::Told;
use crate::totals::Totals;
use beamlet_guest::contract::wasi::http::types::{IncomingRequest, Method, ResponseOutparam};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Instant;

struct Edge;

impl Guest for Edge {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let started = Instant::now();
        let mut told = Told::default();
        instance::with(|instance| {
            let before = instance.as_ref().map(Instance::handler_counts).unwrap_or_default();
            answer(instance, &request, out, &mut told);
            told.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            if let Ok(instance) = instance {
                let after = instance.handler_counts().into_iter().zip(before);
                told.handler = after
                    .map(|((name, after), (_, before))| (name, after.saturating_sub(before)))
                    .collect();
            }
            keep(instance.as_ref().ok(), &told);
        });
    }
}

/// Sends a request to its place.
fn answer(
    instance: &Result<Instance, Vec<beamlet_guest::config::Problem>>,
    request: &IncomingRequest,
    out: ResponseOutparam,
    told: &mut Told,
) {
    let path = request.path_with_query().unwrap_or_default();
    let route = match Route::of(&method(request), &path) {
        Ok(route) => route,
        Err(NoRoute::Path) => {
            let detail = "there is no such path; /openapi.json tells which there are";
            return problem(out, told, &Problem::new(404, detail));
        }
        Err(NoRoute::Method(route)) => {
            told.route = Some(route);
            let detail = format!("{} takes {}", route.path(), route.allow());
            let refusal = Problem::new(405, detail).header("allow", route.allow());
            return problem(out, told, &refusal);
        }
    };
    told.route = Some(route);
    let json = [("content-type", "application/json")];
    match (route, instance) {
        (Route::OpenApi, instance) => {
            let inputs = instance.as_ref().map(|it| it.inputs.as_slice()).unwrap_or_default();
            let required = inputs.iter().filter(|(_, required)| *required);
            let required: Vec<_> = required.map(|(name, _)| name.clone()).collect();
            whole(out, told, 200, &json, &openapi::document(&required));
        }
        (Route::Health, Ok(_)) => whole(out, told, 200, &json, r#"{"status":"ok"}"#),
        (Route::Health, Err(problems)) => {
            problem(out, told, &Problem::of_configuration(problems));
        }
        (_, Err(_)) => {
            let detail = "the service is not configured; /healthz tells what is wrong";
            problem(out, told, &Problem::new(500, detail));
        }
        (Route::Enrich, Ok(instance)) => enrich(instance, request, out, told),
        (Route::Schema, Ok(instance)) => match schema(instance) {
            Ok(schema) => whole(out, told, 200, &json, &schema.to_string()),
            Err(refusal) => problem(out, told, &refusal),
        },
        (Route::Metrics, Ok(instance)) => match metrics(instance) {
            Ok(text) => {
                let type_ = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
                whole(out, told, 200, &type_, &text);
            }
            Err(refusal) => problem(out, told, &refusal),
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

/// Counts a request, and writes it down.
fn keep(instance: Option<&Instance>, told: &Told) {
    let mut lines = String::new();
    if let Some(instance) = instance {
        let counts = told.counts();
        if let Some(directory) = &instance.settings.totals
            && let Err(error) = Totals::new(directory).add(&counts)
        {
            let why = format!("not counted in {}: {error}", directory.display());
            lines = json!({ "error": why }).to_string() + "\n";
        }
        instance.counts.borrow_mut().merge(&counts);
    }
    if instance.is_none_or(|instance| instance.settings.log) {
        lines += &told.line();
        lines.push('\n');
    }
    // Nobody may be there to read it.
    let _ = std::io::stderr().write_all(lines.as_bytes());
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

export!(Edge with_types_in crate::contract);
