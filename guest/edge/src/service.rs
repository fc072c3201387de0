//! The exported service: sends each request to its endpoint, and records it.

use crate::bindings::export;
use crate::bindings::exports::wasi::http::incoming_handler::Guest;
use crate::counts::Totals;
use crate::enrich::enrich;
use crate::http::{send, send_problem};
use crate::instance::{self, Instance, Record};
use crate::problem::Problem;
use crate::route::{self, NoRoute, Route};
use beamlet_guest::bindings::wasi::http::types::{IncomingRequest, Method, ResponseOutparam};
use serde_json::{Value, json};

struct Edge;

impl Guest for Edge {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        instance::with(|instance| {
            let mut record = Record::new(instance.as_ref().ok());
            answer(instance, &request, out, &mut record);
            record.close();
        });
    }
}

/// Sends a request to its endpoint.
fn answer(
    instance: &Result<Instance, Vec<beamlet_guest::config::Problem>>,
    request: &IncomingRequest,
    out: ResponseOutparam,
    record: &mut Record<'_>,
) {
    let path = request.path_with_query().unwrap_or_default();
    let route = match Route::of(&method(request), &path) {
        Ok(route) => route,
        Err(NoRoute::Path) => {
            let detail = "there is no such path; /openapi.json lists the paths";
            return send_problem(out, record, &Problem::new(404, detail));
        }
        Err(NoRoute::Method(route)) => {
            record.summary.route = Some(route);
            let detail = format!("{} takes {}", route.path(), route.allow());
            let refusal = Problem::new(405, detail).header("allow", route.allow());
            return send_problem(out, record, &refusal);
        }
    };
    record.summary.route = Some(route);
    let json = [("content-type", "application/json")];
    match (route, instance) {
        (Route::OpenApi, instance) => {
            let inputs = instance.as_ref().map(|it| it.inputs.as_slice()).unwrap_or_default();
            let required = inputs.iter().filter(|(_, required)| *required);
            let required: Vec<_> = required.map(|(name, _)| name.clone()).collect();
            send(out, record, 200, &json, &route::document(&required));
        }
        (Route::Health, Ok(_)) => send(out, record, 200, &json, r#"{"status":"ok"}"#),
        (Route::Health, Err(problems)) => {
            send_problem(out, record, &Problem::of_configuration(problems));
        }
        (_, Err(_)) => {
            let detail = "the service is not configured; /healthz says what is wrong";
            send_problem(out, record, &Problem::new(500, detail));
        }
        (Route::Enrich, Ok(instance)) => enrich(instance, request, out, record),
        (Route::Schema, Ok(instance)) => match schema(instance) {
            Ok(schema) => send(out, record, 200, &json, &schema.to_string()),
            Err(refusal) => send_problem(out, record, &refusal),
        },
        (Route::Metrics, Ok(instance)) => match metrics(instance) {
            Ok(text) => {
                let type_ = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
                send(out, record, 200, &type_, &text);
            }
            Err(refusal) => send_problem(out, record, &refusal),
        },
    }
}

/// The fields that the handler reads, and the fields that the store adds.
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

/// The totals of all instances, where they are stored, or the counts of this one.
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
