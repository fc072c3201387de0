//! Which of the service's few places a request asks for.

/// A place that answers.
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

/// Why no place answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// There is no such path.
    Path,
    /// The path is there, and takes another method.
    Method(Route),
}

const ALL: [Route; 5] =
    [Route::Enrich, Route::Health, Route::Schema, Route::Metrics, Route::OpenApi];

impl Route {
    /// The place for a method, in capitals, and a path, perhaps with a query.
    ///
    /// # Errors
    /// There is none.
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
    fn another_path_is_none_and_another_method_is_told_which_are_taken() {
        assert_eq!(Route::of("GET", "/"), Err(NoRoute::Path));
        assert_eq!(Route::of("POST", "/enrich/"), Err(NoRoute::Path));
        assert_eq!(Route::of("GET", "/enrich"), Err(NoRoute::Method(Route::Enrich)));
        assert_eq!(Route::of("get", "/metrics"), Err(NoRoute::Method(Route::Metrics)));
        assert_eq!(Route::Enrich.allow(), "POST");
    }
}
