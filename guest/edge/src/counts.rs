//! What a request comes to, in numbers, and how Prometheus reads many of them added up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Counts by the name of their sample, labels included: `name{label="value"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

/// The metrics of the service itself, with what they count; handlers name their own.
const HELP: [(&str, &str); 5] = [
    ("beamlet_edge_broken_off_total", "Answers that broke off after they had begun"),
    ("beamlet_edge_request_bytes_total", "Bytes of bodies that were read"),
    ("beamlet_edge_requests_total", "Requests that were answered"),
    ("beamlet_edge_response_bytes_total", "Bytes of bodies that were written"),
    ("beamlet_edge_rows_total", "Rows that were answered, by what became of them"),
];

impl Counts {
    /// Adds to a sample.
    pub fn add(&mut self, sample: impl Into<String>, more: u64) {
        *self.0.entry(sample.into()).or_default() += more;
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Counts) {
        other.0.iter().for_each(|(sample, more)| self.add(sample.as_str(), *more));
    }

    /// Adds what a handler has counted, under its own name for it.
    pub fn of_handler(&mut self, name: &str, more: u64) {
        self.add(format!("beamlet_handler_{name}_total"), more);
    }

    /// All samples, a line each: what [`of_text`](Self::of_text) reads.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (sample, count) in &self.0 {
            let _ = writeln!(text, "{sample} {count}");
        }
        text
    }

    /// Reads what [`to_text`](Self::to_text) wrote; none where it is anything else.
    pub fn of_text(text: &str) -> Option<Self> {
        let pair = |line: &str| {
            let (sample, count) = line.rsplit_once(' ')?;
            Some((sample.to_owned(), count.parse().ok()?))
        };
        text.lines().map(pair).collect::<Option<_>>().map(Counts)
    }

    /// The exposition format of Prometheus, version 0.0.4.
    pub fn exposition(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for (sample, count) in &self.0 {
            let name = sample.split('{').next().unwrap_or_default();
            if name != last {
                let help = HELP.iter().find(|(known, _)| *known == name);
                let help = help.map_or("Counted by the handler", |(_, help)| help);
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
                last = name;
            }
            let _ = writeln!(text, "{sample} {count}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;
    use insta::assert_snapshot;

    fn counts() -> Counts {
        let mut counts = Counts::default();
        counts.add("beamlet_edge_rows_total{outcome=\"missing\"}", 2);
        counts.add("beamlet_edge_rows_total{outcome=\"enriched\"}", 3);
        counts.of_handler("features_retrieved", 3);
        counts
    }

    #[test]
    fn counts_are_told_as_prometheus_reads_them() {
        assert_snapshot!(counts().exposition(), @r#"
        # HELP beamlet_edge_rows_total Rows that were answered, by what became of them
        # TYPE beamlet_edge_rows_total counter
        beamlet_edge_rows_total{outcome="enriched"} 3
        beamlet_edge_rows_total{outcome="missing"} 2
        # HELP beamlet_handler_features_retrieved_total Counted by the handler
        # TYPE beamlet_handler_features_retrieved_total counter
        beamlet_handler_features_retrieved_total 3
        "#);
    }

    #[test]
    fn counts_are_read_as_they_were_written_and_added_up() {
        let mut twice = Counts::of_text(&counts().to_text()).unwrap();
        assert_eq!(twice, counts());
        twice.merge(&counts());
        assert!(twice.to_text().contains("outcome=\"enriched\"} 6\n"));
        assert_eq!(Counts::of_text("half a li"), None);
    }
}
