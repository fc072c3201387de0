//! The Tecton handler: a configuration becomes [`Tecton`], a row an entity, entities a
//! request to the online store's HTTP API, and the answer columns of features.

mod answer;
mod config;
mod data_type;
mod entity;
mod features;
mod refusal;
mod request;
mod service;
mod url;

use beamlet_guest::{Batch, Batching, Enriched, Error, Field, Handler, Input, Request, Response};

use beamlet_guest::config::Problem;
pub use config::Configuration;

/// A configured Tecton handler.
pub struct Tecton {
    entity: entity::EntityRule,
    requests: request::Requests,
    answers: answer::Answers,
    batching: Batching,
}

impl Handler for Tecton {
    const NAME: &'static str = "tecton";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Entity = entity::Entity;

    fn config_schema() -> String {
        config::schema()
    }

    fn new(config: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let config = Configuration::read(config)?;
        Ok(Tecton {
            entity: entity::EntityRule::new(&config.retrieval),
            requests: request::Requests::new(&config),
            answers: answer::Answers::new(&config),
            batching: Batching {
                max_batch_size: config.batching.max_batch_size,
                max_in_flight: config.batching.max_in_flight,
            },
        })
    }

    fn inputs(&self) -> Vec<Input> {
        self.entity.inputs()
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<entity::Entity, Error>>, Error> {
        self.entity.entities(rows)
    }

    fn request(&self, entities: &[entity::Entity]) -> Request {
        self.requests.features(entities)
    }

    fn answer(&self, entities: &[entity::Entity], response: &Response) -> Result<Enriched, Error> {
        self.answers.read(entities, response)
    }

    fn outputs_request(&self) -> Request {
        self.requests.metadata()
    }

    fn outputs(&self, response: &Response) -> Result<Vec<Field>, Error> {
        service::outputs(response)
    }
}

beamlet_guest::export_handler!(Tecton);
