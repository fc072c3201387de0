//! A handler for key-value stores over HTTP: `POST /lookup` with `{"keys": ["a", "b"]}` is
//! answered with `{"values": {"a": {"field": 1}}}`; a key that is not there is missing.

mod config;

use beamlet_guest::config::Problem;
use beamlet_guest::{
    Batch, Batching, Blame, Enriched, Error, Field, Fields, Found, Handler, Input, Request,
    Response, Target, Timeouts,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// A configured handler.
pub struct KeyValue {
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
        include_str!("../config.schema.json").to_owned()
    }

    fn new(config: &Value) -> Result<Self, Vec<Problem>> {
        let config = config::Config::read(config)?;
        let mut headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
        if let Some(key) = config.api_key {
            headers.push(("authorization".to_owned(), format!("Bearer {key}").into_bytes()));
        }
        let lookup = Arc::new(config.url.target("/lookup", headers, Timeouts::default()));
        Ok(KeyValue { key: config.key, fields: config.fields, lookup, batching: config.batching })
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

    fn blame(&self, response: &Response, _: &Error) -> Blame {
        // What is wrong with the configuration is wrong for every row.
        if matches!(response.status, 401 | 403 | 404) { Blame::Bundle } else { Blame::Request }
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
