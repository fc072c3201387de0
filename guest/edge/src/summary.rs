//! The summary of a request: collected while it is answered, then written to the log, to the counts
//! and, for rows, to trailers.

use crate::counts::Counts;
use crate::route::Route;
use beamlet_guest::Error;
use beamlet_guest::contract::Outcome;
use serde_json::{Value, json};

/// What a request asked for, and how it was answered.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The endpoint, if there is one for the path.
    pub route: Option<Route>,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of its body that were read.
    pub bytes_in: u64,
    /// Bytes of the answer's body that were written.
    pub bytes_out: u64,
    /// Rows with features.
    pub enriched: u64,
    /// Rows whose entity the store does not know.
    pub missing: u64,
    /// Rows whose key is null.
    pub null_keys: u64,
    /// Rows that could not be enriched.
    pub failed: u64,
    /// The counters of the handler, for this request.
    pub handler: Vec<(String, u64)>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether the answer broke off after it had begun.
    pub broken_off: bool,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// The names of the trailers behind rows.
pub const TRAILERS: [&str; 5] =
    ["beamlet-rows", "beamlet-enriched", "beamlet-missing", "beamlet-null-keys", "beamlet-failed"];

impl Summary {
    /// Counts a row.
    pub fn row(&mut self, outcome: Outcome<&Error>) {
        *match outcome {
            Outcome::Enriched => &mut self.enriched,
            Outcome::Missing => &mut self.missing,
            Outcome::NullKey => &mut self.null_keys,
            Outcome::Failed(_) => &mut self.failed,
        } += 1;
    }

    /// Rows that were answered.
    pub fn rows(&self) -> u64 {
        self.enriched + self.missing + self.null_keys + self.failed
    }

    /// The values of [`TRAILERS`].
    pub fn trailers(&self) -> [u64; 5] {
        [self.rows(), self.enriched, self.missing, self.null_keys, self.failed]
    }

    fn path(&self) -> &'static str {
        self.route.map_or("other", Route::path)
    }

    /// One line of JSON for the log. It never shows a path that is not an endpoint, a value of a row
    /// or a secret.
    pub fn line(&self) -> String {
        let mut line = json!({
            "request": self.path(),
            "status": self.status,
            "ms": self.ms,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        });
        if self.route == Some(Route::Enrich) {
            line["rows"] = self.rows().into();
            line["enriched"] = self.enriched.into();
            line["missing"] = self.missing.into();
            line["null_keys"] = self.null_keys.into();
            line["failed"] = self.failed.into();
            for (name, count) in &self.handler {
                line[name] = (*count).into();
            }
        }
        if self.broken_off {
            line["broken_off"] = Value::Bool(true);
        }
        if let Some(error) = &self.error {
            line["error"] = error.as_str().into();
        }
        line.to_string()
    }

    /// The same as metrics.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let (path, status) = (self.path(), self.status);
        counts
            .add(format!("beamlet_edge_requests_total{{path=\"{path}\",status=\"{status}\"}}"), 1);
        counts.add("beamlet_edge_request_bytes_total", self.bytes_in);
        counts.add("beamlet_edge_response_bytes_total", self.bytes_out);
        counts.add("beamlet_edge_broken_off_total", self.broken_off.into());
        let outcomes = [
            ("enriched", self.enriched),
            ("missing", self.missing),
            ("null-key", self.null_keys),
            ("failed", self.failed),
        ];
        for (outcome, rows) in outcomes {
            counts.add(format!("beamlet_edge_rows_total{{outcome=\"{outcome}\"}}"), rows);
        }
        for (name, count) in &self.handler {
            counts.of_handler(name, *count);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn a_request_is_summarised_in_one_line_and_in_counts() {
        let mut summary =
            Summary { route: Some(Route::Enrich), status: 200, ms: 7, ..Summary::default() };
        for row in [Outcome::Enriched, Outcome::Enriched, Outcome::NullKey] {
            summary.row(row);
        }
        summary.handler.push(("feature_retrieval_requests".to_owned(), 1));
        summary.broken_off = true;
        summary.error = Some("the client went away".to_owned());
        assert_snapshot!(summary.line(), @r#"{"request":"/enrich","status":200,"ms":7,"bytes_in":0,"bytes_out":0,"rows":3,"enriched":2,"missing":0,"null_keys":1,"failed":0,"feature_retrieval_requests":1,"broken_off":true,"error":"the client went away"}"#);
        assert_snapshot!(summary.counts().to_text(), @r#"
        beamlet_edge_broken_off_total 1
        beamlet_edge_request_bytes_total 0
        beamlet_edge_requests_total{path="/enrich",status="200"} 1
        beamlet_edge_response_bytes_total 0
        beamlet_edge_rows_total{outcome="enriched"} 2
        beamlet_edge_rows_total{outcome="failed"} 0
        beamlet_edge_rows_total{outcome="missing"} 0
        beamlet_edge_rows_total{outcome="null-key"} 1
        beamlet_handler_feature_retrieval_requests_total 1
        "#);
        assert_eq!(summary.trailers(), [3, 2, 0, 1, 0]);
    }

    #[test]
    fn a_path_that_is_not_an_endpoint_is_not_logged() {
        let summary = Summary { status: 404, ..Summary::default() };
        assert_snapshot!(summary.line(), @r#"{"request":"other","status":404,"ms":0,"bytes_in":0,"bytes_out":0}"#);
    }
}
