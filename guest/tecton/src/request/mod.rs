//! Requests to the online store's HTTP API. The parts that are the same in every request are made
//! once.

use crate::config::Configuration;
use beamlet_guest::slots::Entity;
use beamlet_guest::{Request, Target};
use serde_json::json;
use std::sync::Arc;

/// Makes the requests of a configuration.
pub(crate) struct Requests {
    features: Arc<Target>,
    metadata: Arc<Target>,
    metadata_body: Vec<u8>,
    /// The body before the entities.
    before: String,
    batch: bool,
}

impl Requests {
    pub(crate) fn new(config: &Configuration) -> Self {
        let batch = config.batching.max_batch_size > 1;
        let params = json!({
            "workspaceName": config.workspace(),
            "featureServiceName": config.retrieval.feature_service_name,
        });
        let retrieval = &config.retrieval;
        let mut asked = params.clone();
        for (name, value) in &retrieval.kwargs {
            asked[name] = value.clone();
        }
        if !batch && retrieval.allow_partial_results {
            asked["allowPartialResults"] = true.into();
        }
        if let Some(options) = retrieval.request_options.to_wire() {
            asked["requestOptions"] = options;
        }
        asked["metadataOptions"] =
            retrieval.metadata_options.to_wire(retrieval.asks_for_statuses());
        let mut before = json!({ "params": asked }).to_string();
        // Entities go in behind the last parameter.
        before.truncate(before.len() - 2);
        before.push_str(if batch { ",\"requestData\":[" } else { "," });
        let endpoint = |name| {
            let path = format!("/api/v1/feature-service/{name}");
            Arc::new(config.connection.store.target(&path))
        };
        Requests {
            features: endpoint(if batch { "get-features-batch" } else { "get-features" }),
            metadata: endpoint("metadata"),
            metadata_body: json!({ "params": params }).to_string().into_bytes(),
            before,
            batch,
        }
    }

    /// Asks for the features of entities; of one only, where batches are off.
    pub(crate) fn features(&self, entities: &[Entity]) -> Request {
        let length: usize = entities.iter().map(|entity| entity.text.len() + 3).sum();
        let mut body = String::with_capacity(self.before.len() + length + 3);
        body.push_str(&self.before);
        if self.batch {
            for (at, entity) in entities.iter().enumerate() {
                body.push_str(if at == 0 { "{" } else { ",{" });
                body.push_str(&entity.text);
                body.push('}');
            }
            body.push_str("]}}");
        } else {
            entities.iter().for_each(|entity| body.push_str(&entity.text));
            body.push_str("}}");
        }
        Request::post(&self.features, body.into_bytes())
    }

    /// Asks for the metadata of the feature service.
    pub(crate) fn metadata(&self) -> Request {
        Request::post(&self.metadata, self.metadata_body.clone())
    }
}

#[cfg(test)]
mod tests;
