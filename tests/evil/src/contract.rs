//! The exports of the component.

use crate::behaviour::{Behaviour, NAMES};
use beamlet_guest::bindings::exports::beamlet::enrichment::{
    enrichment_handler as typed, enrichment_json as text,
};
use beamlet_guest::{
    Batch, Counter, Description, Diagnostic, Enriched, Error, ErrorKind, Field, Input, Report,
    Severity,
};
use serde_json::json;
use std::rc::Rc;

struct Evil;

/// The resource `handler`.
struct Configured(Rc<Behaviour>);

/// The resource `bundle`.
struct Started(Rc<Behaviour>);

fn read(config: &str) -> Result<Behaviour, Vec<Diagnostic>> {
    Behaviour::read(config).map_err(problem)
}

fn problem(message: String) -> Vec<Diagnostic> {
    vec![Diagnostic { severity: Severity::Problem, path: "/retrieval/evil".to_owned(), message }]
}

impl typed::Guest for Evil {
    type Handler = Configured;
    type Bundle = Started;

    fn describe() -> Description {
        let schema = json!({ "properties": {
            "connection": { "properties": { "api_key": { "type": "string", "writeOnly": true } } },
            "retrieval": { "properties": { "evil": { "enum": NAMES } } },
        } });
        Description {
            name: "evil".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_schema: schema.to_string(),
        }
    }

    fn validate(config: String) -> Vec<Diagnostic> {
        read(&config).err().unwrap_or_default()
    }
}

impl typed::GuestHandler for Configured {
    fn setup(config: String) -> Result<typed::Handler, Vec<Diagnostic>> {
        let behaviour = read(&config)?;
        behaviour.note(format_args!("setup"));
        behaviour.set_up().map_err(problem)?;
        Ok(typed::Handler::new(Configured(Rc::new(behaviour))))
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input { name: "tailnum".to_owned(), required: true }]
    }

    fn outputs(&self) -> Result<Vec<Field>, Error> {
        Err(Error::new(ErrorKind::Other("evil".to_owned()), "has no store to ask"))
    }

    fn check(&self) -> Result<Report, Error> {
        Err(Error::new(ErrorKind::Other("evil".to_owned()), "has no store to ask"))
    }

    fn start_bundle(&self) -> typed::Bundle {
        self.0.note(format_args!("start-bundle"));
        typed::Bundle::new(Started(self.0.clone()))
    }

    fn counters(&self) -> Vec<Counter> {
        Vec::new()
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        self.0.tear_down();
    }
}

impl typed::GuestBundle for Started {
    fn process(&self, rows: Batch) -> Result<Vec<Enriched>, Error> {
        self.0.note(format_args!("process {}", rows.rows));
        self.0.process(&rows)
    }

    fn finish(this: typed::Bundle) -> Result<Vec<Enriched>, Error> {
        this.get::<Self>().0.note(format_args!("finish"));
        Ok(Vec::new())
    }
}

impl text::Guest for Evil {
    fn describe() -> String {
        "{}".to_owned()
    }

    fn validate(_: String) -> Result<String, String> {
        Ok("[]".to_owned())
    }

    fn enrich(_: String, _: String) -> Result<String, String> {
        Err("{}".to_owned())
    }
}

beamlet_guest::bindings::__export!(Evil with_types_in beamlet_guest::bindings);
