//! Where requests may go.

use beamlet_config::parse_url;
use http::Uri;
use std::fmt;

/// Scheme, host and port: what is granted or refused as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    secure: bool,
    host: String,
    port: u16,
}

impl Destination {
    /// The destination of a request's URL, or `None` where it is no http or https URL with a host
    /// and a port that exists.
    pub fn of(uri: &Uri) -> Option<Self> {
        Destination::of_text(&format!("{}://{}", uri.scheme()?, uri.authority()?))
    }

    /// The destination of a text, where the whole text is an http or https URL.
    pub fn of_text(text: &str) -> Option<Self> {
        let url = parse_url(text, &["http", "https"]).ok()?;
        Some(Destination {
            secure: url.scheme() == "https",
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// The URL with this destination in the one form that was granted: what is connected to is
    /// what was checked.
    pub(crate) fn within(&self, uri: &Uri) -> Option<Uri> {
        let default = if self.secure { 443 } else { 80 };
        let authority = match self.port == default {
            true => self.host.clone(),
            false => format!("{}:{}", self.host, self.port),
        };
        let mut parts = uri.clone().into_parts();
        parts.authority = Some(authority.parse().ok()?);
        Uri::from_parts(parts).ok()
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

/// As a URL, with the port always named.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// The destinations that were granted; by default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Destination>);

impl Allowed {
    /// Grants one more destination.
    pub fn grant(&mut self, destination: Destination) {
        if !self.allows(&destination) {
            self.0.push(destination);
        }
    }

    /// Whether the destination was granted.
    pub fn allows(&self, destination: &Destination) -> bool {
        self.0.contains(destination)
    }

    /// All that was granted.
    pub fn destinations(&self) -> &[Destination] {
        &self.0
    }
}

impl FromIterator<Destination> for Allowed {
    fn from_iter<I: IntoIterator<Item = Destination>>(destinations: I) -> Self {
        let mut allowed = Allowed::default();
        destinations.into_iter().for_each(|destination| allowed.grant(destination));
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<String> {
        Destination::of_text(url).map(|destination| destination.to_string())
    }

    #[test]
    fn a_destination_is_scheme_host_and_port_whatever_the_path() {
        assert_eq!(
            of("https://Example.tecton.ai/base?x#y").unwrap(),
            "https://example.tecton.ai:443"
        );
        assert_eq!(of("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(of("http://[::1]:80/x").unwrap(), "http://[::1]:80");
    }

    #[test]
    fn what_is_no_http_url_is_no_destination() {
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "http://",
            "see http://a.b",
            "/a/b",
            "http:a.b",
            " http://a.b",
        ] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_port_that_does_not_exist_is_not_taken_for_the_schemes_own() {
        for text in ["http://127.0.0.1:99999", "http://a.b:65536/", "https://a.b:0"] {
            assert_eq!(of(text), None, "{text:?}");
            assert_eq!(Destination::of(&text.parse().unwrap()), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_connected_to_is_what_was_granted_however_it_is_written() {
        let uri: Uri = "http://me:pw@127.1:080/a?b".parse().unwrap();
        let destination = Destination::of(&uri).unwrap();
        assert_eq!(destination.to_string(), "http://127.0.0.1:80");
        assert_eq!(destination.within(&uri).unwrap().to_string(), "http://127.0.0.1/a?b");
    }

    #[test]
    fn another_port_or_scheme_of_a_granted_host_is_not_granted() {
        let allowed: Allowed = Destination::of_text("https://a.b").into_iter().collect();
        let allows = |url| allowed.allows(&Destination::of_text(url).unwrap());
        assert!(allows("https://A.b:443/any"));
        assert!(!allows("https://a.b:444"));
        assert!(!allows("http://a.b"));
        assert!(!allows("https://c.a.b"));
    }
}
