//! The handler for Tecton's online store. `config` reads a configuration, `entity` makes an
//! entity of each row, `request` asks the HTTP API for entities, and `response` makes columns of
//! features of the answer. `check` compares a configuration with the feature service.

mod blame;
mod check;
mod config;
mod entity;
mod request;
mod response;
mod service;

use beamlet_guest::{
    Batch, Batching, Blame, Enriched, Error, ErrorKind, Field, Handler, Input, Report, Request,
    Response,
};

use beamlet_guest::config::Problem;
use beamlet_guest::slots::Entity;
pub use config::Configuration;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A configured Tecton handler.
pub struct Tecton {
    entity: entity::EntityRule,
    requests: request::Requests,
    answers: response::Answers,
    check: check::Check,
    batching: Batching,
    /// The most entities that the store takes in a request, as far as it has said.
    most_entities: AtomicUsize,
    warnings: Vec<Problem>,
}

impl Handler for Tecton {
    const NAME: &'static str = "tecton";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    type Entity = Entity;

    fn config_schema() -> String {
        config::schema()
    }

    fn new(config: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let config = Configuration::read(config)?;
        let batching = Batching {
            max_batch_size: config.batching.max_batch_size,
            max_in_flight: config.batching.max_in_flight,
        };
        Ok(Tecton {
            requests: request::Requests::new(&config),
            answers: response::Answers::new(&config),
            check: check::Check::new(&config),
            batching,
            most_entities: AtomicUsize::new(batching.max_batch_size),
            warnings: config.warnings,
            entity: entity::EntityRule::new(config.retrieval),
        })
    }

    fn warnings(&self) -> Vec<Problem> {
        self.warnings.clone()
    }

    fn inputs(&self) -> Vec<Input> {
        self.entity.inputs()
    }

    fn batching(&self) -> Batching {
        let most = self.most_entities.load(Ordering::Relaxed);
        Batching { max_batch_size: self.batching.max_batch_size.min(most), ..self.batching }
    }

    fn preparation(&self) -> Option<Request> {
        self.entity.wants_types().then(|| self.requests.metadata())
    }

    fn prepare(&self, answer: Result<&Response, &Error>) -> Result<(), Error> {
        let service = match answer {
            Ok(response) if response.status == 200 => service::Service::read(response).ok(),
            // The store may answer later. Until then no row is sent: one in another type is refused.
            Ok(response) => match response.grpc_refusal() {
                error if error.retryable => return Err(error),
                _ => None,
            },
            Err(error) if error.retryable => return Err(error.clone()),
            Err(_) => None,
        };
        self.entity.learn(service.as_ref());
        Ok(())
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Entity, Error>>, Error> {
        self.entity.entities(rows)
    }

    fn request(&self, entities: &[Entity]) -> Request {
        self.requests.features(entities)
    }

    fn answer(&self, entities: &[Entity], response: &Response) -> Result<Enriched, Error> {
        self.answers.read(entities, response)
    }

    fn blame(&self, response: &Response, error: &Error) -> Blame {
        if let Some(most) = blame::most_entities(response) {
            let before = self.most_entities.fetch_min(most, Ordering::Relaxed);
            if most < before {
                eprintln!(
                    "warning: the feature store takes {most} entities in a request and not \
                     {before}; it is asked for {most} from now on: set `batching.max_batch_size`"
                );
            }
        }
        blame::blame(response, error, &self.check.context)
    }

    fn outputs_request(&self) -> Request {
        self.requests.metadata()
    }

    fn outputs(&self, response: &Response) -> Result<Vec<Field>, Error> {
        if response.status != 200 {
            return Err(response.grpc_refusal());
        }
        let service = service::Service::read(response)
            .map_err(|why| Error::new(ErrorKind::BadResponse, why))?;
        self.entity.learn(Some(&service));
        Ok(self.answers.extras().outputs(&service))
    }

    fn check(&self, answer: Result<&Response, &Error>) -> Result<Report, Error> {
        self.check.report(answer, &self.entity, self.answers.extras())
    }
}

beamlet_guest::export_handler!(Tecton);
