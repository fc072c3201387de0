//! The URL of a store, taken apart once.

use crate::config::parse_url;
use crate::transport::{Target, Timeouts};

/// Scheme, authority and base path of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    secure: bool,
    authority: String,
    /// Without a slash at its end.
    base: String,
}

impl BaseUrl {
    /// Reads a URL. The error is what is wrong with it, for behind the name of its key, with an
    /// `example` of the form; it shows nothing of the URL but its scheme.
    ///
    /// # Errors
    /// It is no http or https URL, or has parts that a base URL cannot have.
    pub fn parse(url: &str, example: &str) -> Result<Self, String> {
        let form = format!("must be a URL such as {example}");
        let parsed = parse_url(url, &["http", "https"]).map_err(|why| format!("{form}; {why}"))?;
        let secure = parsed.scheme() == "https";
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(format!(
                "{form}, without user name and password; the key goes into `api_key`"
            ));
        }
        if parsed.query().is_some() {
            return Err(format!("{form}, without a query"));
        }
        if parsed.fragment().is_some() {
            return Err(format!("{form}, without a fragment"));
        }
        let host = parsed.host_str().unwrap_or_default();
        let authority = match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(BaseUrl { secure, authority, base: parsed.path().trim_end_matches('/').to_owned() })
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
    fn a_host_is_in_its_one_form_and_its_own_port_is_not_written() {
        assert_eq!(at("HTTPS://Example.Tecton.AI:443", "/x"), "https://example.tecton.ai/x");
        assert_eq!(at("http://[0:0::1]:8080/a", "/x"), "http://[::1]:8080/a/x");
    }

    #[test]
    fn a_port_that_is_none_is_a_problem() {
        assert_eq!(
            parse("http://127.0.0.1:99999").unwrap_err(),
            "must be a URL such as https://example.tecton.ai; the port is not a number up to 65535"
        );
    }

    #[test]
    fn what_is_no_base_url_is_refused_with_the_reason() {
        let why = |url| parse(url).unwrap_err();
        assert!(why("example.tecton.ai").contains("no scheme"));
        assert!(why("ftp://example").contains("\"ftp\""));
        assert!(why("https://u:p@example").contains("api_key"));
        assert!(why("https://example?x=1").contains("query"));
        assert!(why("https://example#x").contains("fragment"));
        assert!(!why("https://u:secret@example").contains("secret"));
    }
}
