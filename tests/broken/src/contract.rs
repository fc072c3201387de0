//! The exports of the component.

use crate::bundle::Started;
use crate::config::{broken_in, read};
use crate::state::{COUNTED, DESCRIBED, OTHER_REQUESTS, OUTPUTS, PROCESSED, SET_UP, marked};
use crate::store::Store;
use beamlet_guest::bindings::exports::beamlet::enrichment::{
    enrichment_handler as typed, enrichment_json as text,
};
use beamlet_guest::config::Problem;
use beamlet_guest::{
    Counter, Counters, Description, Diagnostic, Error, Field, Handler, Input, Report, Response,
    Severity, Transport, WasiHttp, run,
};
use std::sync::Arc;

pub(crate) struct Broken;

/// The resource `handler`.
pub(crate) struct Configured {
    pub(crate) store: Arc<Store>,
    pub(crate) counters: Arc<Counters>,
}

fn problems(problems: Vec<Problem>) -> Vec<Diagnostic> {
    beamlet_guest::diagnostics(Severity::Problem, problems)
}

impl typed::Guest for Broken {
    type Handler = Configured;
    type Bundle = Started;

    fn describe() -> Description {
        let mut version = Store::VERSION.to_owned();
        match marked().as_str() {
            "describe/name" => version = "one".to_owned(),
            "describe/stable" => version = format!("0.1.{}", DESCRIBED.next()),
            _ => {}
        }
        Description { name: Store::NAME.to_owned(), version, config_schema: Store::config_schema() }
    }

    fn validate(config: String) -> Vec<Diagnostic> {
        let store = match read(&config) {
            Ok(store) => store,
            Err(found) => return problems(found),
        };
        match store.broken.as_str() {
            "config/accepts" if SET_UP.is_set() => {
                let message = "is no longer to its taste".to_owned();
                problems(vec![Problem { path: String::new(), message }])
            }
            "config/asks-no-store" => {
                store.leak("a configuration");
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

impl typed::GuestHandler for Configured {
    fn setup(config: String) -> Result<typed::Handler, Vec<Diagnostic>> {
        let store = read(&config).map_err(|mut found| {
            if broken_in(&config) == "config/setup-agrees" {
                found.truncate(1);
                found.iter_mut().for_each(|it| it.message.push_str(", says setup"));
            }
            problems(found)
        })?;
        SET_UP.set();
        Ok(typed::Handler::new(Configured { store: Arc::new(store), counters: Arc::default() }))
    }

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = self.store.inputs();
        if self.store.broken == "inputs/stable" && PROCESSED.is_set() {
            inputs.reverse();
        }
        inputs
    }

    fn outputs(&self) -> Result<Vec<Field>, Error> {
        let again = OUTPUTS.next() > 0;
        let answer = self.ask();
        let declared = answer.and_then(|answer| self.store.outputs(&answer));
        match self.store.broken.as_str() {
            "outputs/stable" if again => declared.map(|mut fields| {
                fields.reverse();
                fields
            }),
            "store/outputs" => Ok(declared.unwrap_or_else(|_| self.store.fields())),
            _ => declared,
        }
    }

    fn check(&self) -> Result<Report, Error> {
        let report = Handler::check(&*self.store, self.ask().as_ref());
        match self.store.broken.as_str() {
            "check/findings" => report.map(|mut report| {
                report.findings.iter_mut().for_each(|it| it.path = "connection".to_owned());
                report
            }),
            "check/agrees" => report.map(|mut report| {
                report.outputs.reverse();
                report
            }),
            "store/check" => report.or_else(|_| {
                let message = "it will be well".to_owned();
                let fine = Diagnostic { severity: Severity::Ok, path: String::new(), message };
                Ok(Report { findings: vec![fine], outputs: Vec::new() })
            }),
            _ => report,
        }
    }

    fn start_bundle(&self) -> typed::Bundle {
        typed::Bundle::new(Started::new(self.store.clone(), self.counters.clone()))
    }

    fn counters(&self) -> Vec<Counter> {
        let mut counters = self.counters.snapshot();
        counters[1].value += OTHER_REQUESTS[0].get();
        counters[2].value += OTHER_REQUESTS[1].get();
        let counter = |name: &str, value| Counter { name: name.to_owned(), value };
        match self.store.broken.as_str() {
            "counters/names" => counters.push(counter("RowsSeen", 0)),
            "counters/standard" => drop(counters.pop()),
            "counters/monotonous" => counters.push(counter("left", 1000 - COUNTED.next())),
            "counters/exact" => counters[0].value *= 2,
            "counters/errors" => counters[2].value = 0,
            _ => {}
        }
        counters
    }
}

impl Configured {
    /// Sends the request for the outputs.
    fn ask(&self) -> Result<Response, Error> {
        let request = self.store.outputs_request();
        let (method, target) = (request.method, request.target.clone());
        let mut calls = vec![WasiHttp.send(request)];
        run(WasiHttp.any(&mut calls)).1.map_err(|why| Error::no_answer(method, &target, &why))
    }
}

/// A handler that cannot be torn down.
impl Drop for Configured {
    fn drop(&mut self) {
        assert!(self.store.broken != "lifecycle/tear-down", "it will not go");
    }
}

impl text::Guest for Broken {
    fn describe() -> String {
        crate::text::describe()
    }

    fn validate(config: String) -> Result<String, String> {
        crate::text::validate(&config, &broken_in(&config))
    }

    fn enrich(config: String, rows: String) -> Result<String, String> {
        crate::text::enrich(&config, rows, &broken_in(&config))
    }
}

beamlet_guest::bindings::__export!(Broken with_types_in beamlet_guest::bindings);
