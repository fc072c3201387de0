//! What a user writes: where the store is, the field with the key, and the fields that come out.

use beamlet_guest::config::{Problem, Problems, Section};
use beamlet_guest::{BaseUrl, Batching, Fields};
use serde_json::Value;

pub(crate) struct Config {
    pub(crate) url: BaseUrl,
    pub(crate) api_key: Option<String>,
    pub(crate) key: String,
    pub(crate) fields: Fields,
    pub(crate) batching: Batching,
}

impl Config {
    /// Reads a configuration, or tells all that is wrong with it.
    pub(crate) fn read(config: &Value) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let root = Section::root(config, &problems);

        let connection = root.section("connection", true);
        let url = connection.required_text("url").and_then(|url| {
            let url = BaseUrl::parse(url, "https://store.example");
            url.map_err(|why| connection.problem("url", why)).ok()
        });
        let api_key = connection.text("api_key").map(str::to_owned);
        if api_key.as_deref().is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            connection.problem("api_key", "must be printable ASCII, without spaces");
        }
        connection.close();

        let retrieval = root.section("retrieval", true);
        let key = retrieval.required_text("key").map(str::to_owned);
        let fields = Fields::read(&retrieval.section("fields", true));
        retrieval.close();

        let batching = root.section("batching", false);
        let how = Batching::read(&batching);
        batching.close();

        root.close();
        let config = url.zip(key);
        problems.or(config.map(|(url, key)| Config { url, api_key, key, fields, batching: how }))
    }
}
