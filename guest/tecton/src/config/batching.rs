//! How rows are put into requests.

use beamlet_guest::config::Section;
use schemars::JsonSchema;
use serde::Serialize;

/// How rows are put into requests.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields, inline)]
pub struct BatchingOptions {
    /// Entities in one request; 1 uses the endpoint for one entity. Tecton refuses more than 10.
    #[schemars(range(min = 1, max = 10), default = "ten", example = 5)]
    pub max_batch_size: usize,
    /// Requests that one bundle may have on the wire.
    #[schemars(range(min = 1, max = 256), default = "four", example = 8)]
    pub max_in_flight: usize,
}

fn ten() -> usize {
    10
}

fn four() -> usize {
    4
}

impl Default for BatchingOptions {
    fn default() -> Self {
        BatchingOptions { max_batch_size: ten(), max_in_flight: four() }
    }
}

impl BatchingOptions {
    pub(super) fn read(section: Section<'_>) -> Self {
        let number = |name, high| section.integer(name, 1..=high).map(|n| n as usize);
        let max_batch_size = number("max_batch_size", 10);
        let max_in_flight = number("max_in_flight", 256);
        section.close();
        BatchingOptions {
            max_batch_size: max_batch_size.unwrap_or_else(ten),
            max_in_flight: max_in_flight.unwrap_or_else(four),
        }
    }
}
