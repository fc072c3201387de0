//! The endpoints of the service, and its OpenAPI document.

use serde_json::{Value, json};

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Rows in, rows with their features out.
    Enrich,
    /// Whether the configuration is valid.
    Health,
    /// What the handler reads and adds.
    Schema,
    /// Counts, for Prometheus.
    Metrics,
    /// The OpenAPI document.
    OpenApi,
}

/// Why there is no endpoint for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// There is no such path.
    Path,
    /// The endpoint takes other methods.
    Method(Route),
}

const ALL: [Route; 5] =
    [Route::Enrich, Route::Health, Route::Schema, Route::Metrics, Route::OpenApi];

impl Route {
    /// The endpoint for a method, in capitals, and a path with or without a query.
    ///
    /// # Errors
    /// The path is unknown, or the endpoint takes other methods.
    pub fn of(method: &str, path_with_query: &str) -> Result<Self, NoRoute> {
        let path = path_with_query.split('?').next().unwrap_or_default();
        let route = ALL.into_iter().find(|route| route.path() == path).ok_or(NoRoute::Path)?;
        match route.allow().split(", ").any(|allowed| allowed == method) {
            true => Ok(route),
            false => Err(NoRoute::Method(route)),
        }
    }

    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Route::Enrich => "/enrich",
            Route::Health => "/healthz",
            Route::Schema => "/schema",
            Route::Metrics => "/metrics",
            Route::OpenApi => "/openapi.json",
        }
    }

    /// The methods that it takes, as the header `allow` has them.
    pub fn allow(self) -> &'static str {
        match self {
            Route::Enrich => "POST",
            _ => "GET, HEAD",
        }
    }
}

/// The document for any handler and any configuration.
const DOCUMENT: &str = include_str!("../openapi.json");

/// The document. `required` names the fields that the handler reads and that every row must have.
pub fn document(required: &[String]) -> String {
    let mut document: Value = serde_json::from_str(DOCUMENT).expect("a test reads it");
    if !required.is_empty() {
        document["components"]["schemas"]["Row"]["required"] = json!(required);
    }
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_with_or_without_a_query() {
        assert_eq!(Route::of("POST", "/enrich"), Ok(Route::Enrich));
        assert_eq!(Route::of("GET", "/schema?pretty"), Ok(Route::Schema));
        assert_eq!(Route::of("HEAD", "/healthz"), Ok(Route::Health));
    }

    #[test]
    fn an_unknown_path_has_no_endpoint_and_another_method_names_the_right_ones() {
        assert_eq!(Route::of("GET", "/"), Err(NoRoute::Path));
        assert_eq!(Route::of("POST", "/enrich/"), Err(NoRoute::Path));
        assert_eq!(Route::of("GET", "/enrich"), Err(NoRoute::Method(Route::Enrich)));
        assert_eq!(Route::of("get", "/metrics"), Err(NoRoute::Method(Route::Metrics)));
        assert_eq!(Route::Enrich.allow(), "POST");
    }

    #[test]
    fn the_document_names_the_fields_that_rows_have_to_have() {
        let read =
            |required: &[String]| -> Value { serde_json::from_str(&document(required)).unwrap() };
        let row = &read(&["tailnum".to_owned()])["components"]["schemas"]["Row"];
        assert_eq!(row["required"], json!(["tailnum"]));
        assert_eq!(read(&[])["components"]["schemas"]["Row"].get("required"), None);
    }

    #[test]
    fn the_document_has_all_endpoints_and_their_methods() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        for (path, place) in document["paths"].as_object().unwrap() {
            for method in place.as_object().unwrap().keys() {
                assert!(Route::of(&method.to_uppercase(), path).is_ok(), "{method} {path}");
            }
        }
        assert_eq!(document["paths"].as_object().unwrap().len(), 5);
    }
}
