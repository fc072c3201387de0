//! Findings of a check: the configuration compared with what the store says of itself.

use crate::config::nearest;
use crate::{Diagnostic, Error, ErrorKind, Field, Report, Response, Severity};

/// The place of the URL in a configuration.
pub const URL: &str = "/connection/url";

/// Where findings about a refusal point to, as JSON Pointers, and whose answer it has to be.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The store's name, such as `Tecton`.
    pub store: &'a str,
    /// The credential: a refusal of 401.
    pub credential: &'a str,
    /// What is asked for, such as the name of a feature service: a refusal of 403 or 404.
    pub resource: &'a str,
    /// All that goes into a request: a refusal of 400.
    pub request: &'a str,
}

/// What was found, in order.
#[derive(Debug, Default)]
pub struct Findings(Vec<Diagnostic>);

impl Findings {
    /// Adds what is as it should be.
    pub fn ok(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Ok, path.into(), message.into());
    }

    /// Adds what is allowed, and most likely not meant.
    pub fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, path.into(), message.into());
    }

    /// Adds what is wrong.
    pub fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Problem, path.into(), message.into());
    }

    fn add(&mut self, severity: Severity, path: String, message: String) {
        self.0.push(Diagnostic { severity, path, message });
    }

    /// Adds that the store answered.
    pub fn reached(&mut self) {
        self.ok(URL, "the feature store was reached");
    }

    /// Adds the refusal of a store: `error` is what the response means, and `is_the_stores` says
    /// whether the body has the form of that store's errors. A proxy or another server between
    /// answers 404, too.
    pub fn refused(
        &mut self,
        response: &Response,
        error: &Error,
        is_the_stores: bool,
        places: Places<'_>,
    ) {
        let message = &*error.message;
        match (response.status, &error.kind) {
            (401, _) | (400 | 500, ErrorKind::Unauthenticated) => {
                self.reached();
                self.problem(places.credential, message);
            }
            (403 | 404, _) | (400 | 500, ErrorKind::Forbidden | ErrorKind::NotFound)
                if is_the_stores =>
            {
                self.reached();
                self.ok(places.credential, "the key is known");
                self.problem(places.resource, message);
            }
            (400, _) if is_the_stores => {
                self.reached();
                self.problem(places.request, message);
            }
            _ => self.problem(URL, format!("{message}; is this {}?", places.store)),
        }
    }

    /// How many warnings and problems there are.
    pub fn problems(&self) -> usize {
        self.0.iter().filter(|finding| finding.severity != Severity::Ok).count()
    }

    /// The findings, with the fields that come out.
    pub fn report(self, outputs: Vec<Field>) -> Report {
        Report { findings: self.0, outputs }
    }
}

/// The end of a message about an unknown name: the known name that it is most like, or all that
/// are known.
pub fn hint(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; it has none".to_owned(),
        None => format!("; it has {}", known.join(", ")),
    }
}

/// A number of things, for a message: `1 row`, `2 rows`, `3 entities`.
pub fn count(number: usize, thing: &str) -> String {
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places<'static> = Places {
        store: "Store",
        credential: "/connection/api_key",
        resource: "/retrieval/service",
        request: "/retrieval",
    };

    fn refused(status: u16, is_the_stores: bool) -> Vec<String> {
        let response = Response { status, retry_after: None, location: None, body: Vec::new() };
        let mut findings = Findings::default();
        findings.refused(&response, &response.refusal(None), is_the_stores, PLACES);
        findings.0.iter().map(|finding| finding.path.clone()).collect()
    }

    #[test]
    fn a_refusal_points_to_what_is_wrong() {
        assert_eq!(refused(401, false), [URL, PLACES.credential]);
        assert_eq!(refused(404, true), [URL, PLACES.credential, PLACES.resource]);
        assert_eq!(refused(400, true), [URL, PLACES.request]);
        // It may come from a proxy, or from another server.
        assert_eq!(refused(404, false), [URL]);
    }

    #[test]
    fn an_unknown_name_has_the_nearest_known_one_or_all_of_them() {
        assert_eq!(hint("user_di", &["user_id", "ad_id"]), "; did you mean `user_id`?");
        assert_eq!(hint("x", &["user_id", "ad_id"]), "; it has user_id, ad_id");
        assert_eq!(hint("x", &[]), "; it has none");
    }

    #[test]
    fn one_is_one_and_the_others_are_many() {
        let entities = [0, 1, 2].map(|number| count(number, "entity"));
        assert_eq!(entities, ["0 entities", "1 entity", "2 entities"]);
        assert_eq!(count(3, "row"), "3 rows");
    }
}
