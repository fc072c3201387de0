//! A handler for key-value stores over HTTP: `POST /lookup` with `{"keys": ["a", "b"]}` is
//! answered with `{"values": {"a": {"field": 1}}}`. A key without a value is missing.

use beamlet_guest::config::{Problem, Problems, Section};
use beamlet_guest::connection::Options;
use beamlet_guest::{
    Batch, Batching, ConnectionForm, Credential, Enriched, Error, Field, Fields, Found, Handler,
    Input, Request, Response, Target,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const CONNECTION: ConnectionForm = ConnectionForm {
    url: "https://store.example",
    url_description: "URL of the store, http or https.",
    credential: Some(Credential::bearer("api_key", false, "API key. A secret.")),
    options: Options::Here,
    user_agent: concat!("beamlet-key-value/", env!("CARGO_PKG_VERSION")),
};

/// A configured handler.
pub struct KeyValue {
    /// The row's field that holds the key.
    key: String,
    fields: Fields,
    lookup: Arc<Target>,
    batching: Batching,
}

#[derive(Deserialize)]
struct Answer {
    values: HashMap<String, Map<String, Value>>,
}

impl Handler for KeyValue {
    const NAME: &'static str = "key-value";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    /// A row's key; `None` where it is null.
    type Entity = Option<String>;

    fn config_schema() -> String {
        let key =
            json!({ "type": "string", "minLength": 1, "description": "The field of the key." });
        let retrieval = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["key", "fields"],
            "properties": { "key": key, "fields": Fields::schema() },
        });
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": ["connection", "retrieval"],
            "properties": {
                "connection": CONNECTION.schema(),
                "retrieval": retrieval,
                "batching": Batching::schema(),
            },
        });
        schema.to_string()
    }

    fn new(config: &Value) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let root = Section::root(config, &problems);
        let (connection, retrieval) =
            (root.section("connection", true), root.section("retrieval", true));
        let store = CONNECTION.read(&connection);
        let key = retrieval.required_text("key").map(str::to_owned);
        let fields = Fields::read(&retrieval.section("fields", true));
        let batch = root.section("batching", false);
        let batching = Batching::read(&batch);
        [connection, retrieval, batch, root].into_iter().for_each(Section::close);
        problems.or(store.zip(key).map(|(store, key)| KeyValue {
            key,
            fields,
            lookup: Arc::new(store.target("/lookup")),
            batching,
        }))
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input { name: self.key.clone(), required: true }]
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Option<String>, Error>>, Error> {
        rows.keys(&self.key)
    }

    fn request(&self, keys: &[Option<String>]) -> Request {
        let keys: Vec<&String> = keys.iter().flatten().collect();
        Request::json(&self.lookup, &json!({ "keys": keys }))
    }

    fn answer(&self, keys: &[Option<String>], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(response.refusal(None));
        }
        let Answer { values } = response.json()?;
        let found = |key: &Option<String>| match key {
            None => Found::NullKey,
            Some(key) => values.get(key).map_or(Found::Missing, Found::Values),
        };
        Ok(self.fields.enriched(&keys.iter().map(found).collect::<Vec<_>>()))
    }

    fn outputs_request(&self) -> Request {
        Request::json(&self.lookup, &json!({ "keys": [] }))
    }

    fn outputs(&self, response: &Response) -> Result<Vec<Field>, Error> {
        self.answer(&[], response)?;
        Ok(self.fields.outputs())
    }
}

beamlet_guest::export_handler!(KeyValue);
