//! The URL of a store, taken apart once.

use crate::transport::{Target, Timeouts};
use http::Uri;

/// Scheme, authority and base path of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    secure: bool,
    authority: String,
    /// Without a slash at its end.
    base: String,
}

impl BaseUrl {
    /// Reads a URL; the error says what is wrong with it, for after the name of its key, and how
    /// an `example` looks.
    ///
    /// # Errors
    /// It is no http or https URL, or has parts that a base URL cannot have.
    pub fn parse(url: &str, example: &str) -> Result<Self, String> {
        let form = format!("must be a URL such as {example}");
        if url.contains('#') {
            return Err(format!("{form}, without a fragment"));
        }
        let uri: Uri = url.parse().map_err(|error| format!("{form}: {error}"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(other) => {
                return Err(format!("{form}; the scheme {other:?} is not http or https"));
            }
            None => return Err(format!("{form}; it has no scheme")),
        };
        let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
        if authority.contains('@') {
            return Err(format!(
                "{form}, without user name and password; the key goes into `api_key`"
            ));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(format!("{form}; it has no host"));
        }
        if uri.query().is_some() {
            return Err(format!("{form}, without a query"));
        }
        Ok(BaseUrl {
            secure,
            authority: authority.to_owned(),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Where requests to an endpoint go, which starts with a slash and is below the base path.
    /// Header names are in lower case.
    pub fn target(
        &self,
        endpoint: &str,
        headers: Vec<(String, Vec<u8>)>,
        timeouts: Timeouts,
    ) -> Target {
        Target {
            secure: self.secure,
            authority: self.authority.clone(),
            path: format!("{}{endpoint}", self.base),
            headers,
            timeouts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BaseUrl;
    use crate::transport::Timeouts;

    fn parse(url: &str) -> Result<BaseUrl, String> {
        BaseUrl::parse(url, "https://example.tecton.ai")
    }

    /// The URL of an endpoint.
    fn at(url: &str, endpoint: &str) -> String {
        parse(url).unwrap().target(endpoint, Vec::new(), Timeouts::default()).to_string()
    }

    #[test]
    fn a_base_path_is_kept_and_a_last_slash_is_not() {
        for url in ["https://host:8443/tecton", "https://host:8443/tecton/"] {
            assert_eq!(at(url, "/api/v1/x"), "https://host:8443/tecton/api/v1/x");
        }
        assert_eq!(at("http://h", "/api"), "http://h/api");
    }

    #[test]
    fn what_is_no_base_url_is_refused_with_the_reason() {
        let why = |url| parse(url).unwrap_err();
        assert!(why("example.tecton.ai").contains("no scheme"));
        assert!(why("ftp://example").contains("\"ftp\""));
        assert!(why("https://u:p@example").contains("api_key"));
        assert!(why("https://example?x=1").contains("query"));
        assert!(why("https://example#x").contains("fragment"));
        assert!(why("https://").contains("must be a URL"));
        assert!(!why("https://u:secret@example").contains("secret"));
    }
}
