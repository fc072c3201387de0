//! Secrets that a handler uses and never holds.

use http::{HeaderMap, HeaderValue};
use std::fmt;

/// What every placeholder starts with.
const MARK: &str = "beamlet-secret-";

/// Secrets, each with the placeholder that a handler is given in its place. `Debug` shows how many
/// there are, and nothing else.
#[derive(Clone, Default)]
pub struct Secrets(Vec<(String, String)>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Keeps a secret and gives its placeholder; the same secret has one placeholder.
    pub fn keep(&mut self, secret: &str) -> String {
        if let Some((placeholder, _)) = self.0.iter().find(|(_, known)| known == secret) {
            return placeholder.clone();
        }
        // Of one length, so that no placeholder is a part of another.
        let placeholder = format!("{MARK}{:04}", self.0.len());
        self.0.push((placeholder.clone(), secret.to_owned()));
        placeholder
    }

    /// Whether a text is the placeholder of a secret.
    pub fn is_placeholder(&self, text: &str) -> bool {
        self.0.iter().any(|(placeholder, _)| placeholder == text)
    }

    /// Puts secrets where the headers hold placeholders.
    pub(crate) fn reveal(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        for value in headers.values_mut() {
            let Some(text) = value.to_str().ok().filter(|text| text.contains(MARK)) else {
                continue;
            };
            let mut revealed = text.to_owned();
            for (placeholder, secret) in &self.0 {
                revealed = revealed.replace(placeholder, secret);
            }
            // It always is one: `beamlet_config::usable_secret` admits nothing else.
            if let Ok(mut revealed) = HeaderValue::from_str(&revealed) {
                revealed.set_sensitive(true);
                *value = revealed;
            }
        }
    }

    /// Replaces every secret in a text, and the beginning of one where the text was cut off in the
    /// middle of it: for texts of servers, which may repeat what they were sent.
    pub fn redact(&self, text: String) -> String {
        let mut text = text;
        for (_, secret) in self.0.iter().filter(|(_, secret)| text_worth_hiding(secret)) {
            if text.contains(secret) {
                text = text.replace(secret, "[secret]");
            }
            if let Some(start) = cut_off(&text, secret) {
                text.replace_range(start.., "[secret]…");
            }
        }
        text
    }
}

/// Where a text ends in the beginning of a secret, with or without an ellipsis behind it.
fn cut_off(text: &str, secret: &str) -> Option<usize> {
    let text = text.trim_end_matches('…');
    let beginnings = (0..secret.len()).rev().filter_map(|end| secret.get(..end));
    beginnings
        .take_while(|beginning| text_worth_hiding(beginning))
        .find(|beginning| text.ends_with(beginning))
        .map(|beginning| text.len() - beginning.len())
}

/// Replacing every occurrence of one to three letters would show which letters they are.
fn text_worth_hiding(secret: &str) -> bool {
    secret.len() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_in_a_header_becomes_the_secret() {
        let mut secrets = Secrets::default();
        let placeholder = secrets.keep("s3cret");
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Tecton-key {placeholder}").parse().unwrap());
        headers.insert("accept", "*/*".parse().unwrap());
        secrets.reveal(&mut headers);
        assert_eq!(headers["authorization"], "Tecton-key s3cret");
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(headers["accept"], "*/*");
    }

    #[test]
    fn neither_debug_nor_a_redacted_text_shows_a_secret() {
        let mut secrets = Secrets::default();
        let placeholder = secrets.keep("s3cret");
        assert!(!placeholder.contains("s3cret"));
        assert!(secrets.is_placeholder(&placeholder) && !secrets.is_placeholder("s3cret"));
        assert_eq!(format!("{secrets:?}"), "Secrets(1)");
        assert_eq!(secrets.redact("invalid key s3cret".to_owned()), "invalid key [secret]");
    }

    #[test]
    fn a_text_that_is_cut_off_within_a_secret_does_not_show_its_beginning() {
        let mut secrets = Secrets::default();
        secrets.keep("s3cret");
        let redact = |text: &str| secrets.redact(text.to_owned());
        assert_eq!(redact("invalid key s3cre…"), "invalid key [secret]…");
        assert_eq!(redact("invalid key s3cr"), "invalid key [secret]…");
        assert_eq!(redact("invalid key s3c"), "invalid key s3c");
        assert_eq!(redact("s3cre is no key"), "s3cre is no key");
    }

    #[test]
    fn equal_secrets_share_a_placeholder_and_others_do_not() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.keep("aaaa"), secrets.keep("aaaa"));
        assert_ne!(secrets.keep("aaaa"), secrets.keep("bbbb"));
    }
}
