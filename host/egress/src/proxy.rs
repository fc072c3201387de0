//! Proxies between here and a store, as the environment names them: `HTTPS_PROXY`, `HTTP_PROXY`,
//! `ALL_PROXY` and `NO_PROXY`, in upper or lower case, as curl reads them.

use crate::{Allowed, Destination};
use beamlet_config::parse_url;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use std::collections::HashMap;
use std::fmt;

/// A proxy. Shows neither user name nor password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Without user name and password.
    pub(crate) uri: Uri,
    /// The value of `proxy-authorization`, marked as sensitive.
    pub(crate) auth: Option<HeaderValue>,
}

/// As a URL.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}

/// The proxy of each destination that is reached through one; by default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(HashMap<Destination, Proxy>);

impl Proxies {
    /// The proxies of destinations, as the environment of this process names them.
    ///
    /// # Errors
    /// What is wrong with a variable that names a proxy for one of them. Shows nothing of its
    /// value.
    pub fn of_environment(allowed: &Allowed) -> Result<Self, Vec<String>> {
        Proxies::of(allowed, |name| std::env::var(name).ok())
    }

    /// The same with variables of any origin.
    ///
    /// # Errors
    /// As [`of_environment`](Self::of_environment).
    pub fn of(
        allowed: &Allowed,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<String>> {
        let (mut proxies, mut problems) = (HashMap::new(), Vec::new());
        let no_proxy = first(&["NO_PROXY", "no_proxy"], &variable).map(|(_, value)| value);
        for destination in allowed.destinations() {
            let Some((name, value)) = named(destination, &variable) else { continue };
            let no_proxy = no_proxy_for(no_proxy.as_deref().unwrap_or_default(), destination);
            if is_exempt(destination, &no_proxy) {
                continue;
            }
            match proxy(destination, &value) {
                Ok(proxy) => drop(proxies.insert(destination.clone(), proxy)),
                Err(why) => {
                    let problem = format!(
                        "the environment variable {name} must be a URL such as \
                         http://proxy.example:3128; {why}"
                    );
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        }
        if problems.is_empty() { Ok(Proxies(proxies)) } else { Err(problems) }
    }

    /// Whether no destination is reached through a proxy.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each destination that is reached through a proxy, with the proxy's URL, without user name
    /// and password.
    pub fn iter(&self) -> impl Iterator<Item = (&Destination, String)> {
        self.0.iter().map(|(destination, proxy)| (destination, proxy.to_string()))
    }

    pub(crate) fn get(&self, destination: &Destination) -> Option<&Proxy> {
        self.0.get(destination)
    }

    /// Whether a proxy itself is reached over TLS.
    pub(crate) fn any_secure(&self) -> bool {
        self.0.values().any(|proxy| proxy.uri.scheme() == Some(&http::uri::Scheme::HTTPS))
    }
}

/// The first variable that is set and not empty.
fn first(
    names: &[&'static str],
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        let value = variable(name).filter(|value| !value.trim().is_empty())?;
        Some((*name, value.trim().to_owned()))
    })
}

/// The variable that names the proxy of a destination.
fn named(
    destination: &Destination,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let of_scheme: &[&str] = match (destination.is_secure(), variable("REQUEST_METHOD")) {
        (true, _) => &["HTTPS_PROXY", "https_proxy"],
        (false, None) => &["HTTP_PROXY", "http_proxy"],
        // In a CGI program it is the header `proxy` of whoever sent the request.
        (false, Some(_)) => &["http_proxy"],
    };
    first(of_scheme, &variable).or_else(|| first(&["ALL_PROXY", "all_proxy"], &variable))
}

/// The entries that concern a destination, in the form that hyper-util matches: separated by
/// commas, without ports, brackets and the star before a domain.
fn no_proxy_for(no_proxy: &str, destination: &Destination) -> String {
    let entries = no_proxy.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    let normal = entries.filter_map(|entry| {
        let entry = entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry);
        if let Some(rest) = entry.strip_prefix('[') {
            let (host, port) = rest.split_once(']')?;
            let port = port.strip_prefix(':').map(str::parse);
            return port.is_none_or(|port| port == Ok(destination.port())).then_some(host);
        }
        match entry.split_once(':') {
            // More than one colon is an address of IPv6.
            Some((host, port)) if !port.contains(':') => {
                (port.parse() == Ok(destination.port())).then_some(host)
            }
            _ => Some(entry),
        }
    });
    normal.collect::<Vec<_>>().join(",")
}

/// Whether these entries exempt a destination from every proxy.
fn is_exempt(destination: &Destination, no_proxy: &str) -> bool {
    let matcher = Matcher::builder().all("http://proxy.invalid").no(no_proxy).build();
    let uri: Option<Uri> = destination.to_string().parse().ok();
    uri.is_some_and(|uri| matcher.intercept(&uri).is_none())
}

fn proxy(destination: &Destination, value: &str) -> Result<Proxy, String> {
    let with_scheme = match value.contains("://") {
        true => value.to_owned(),
        false => format!("http://{value}"),
    };
    let url = parse_url(&with_scheme, &["http", "https"])?;
    let none = || "it names no proxy that can be used".to_owned();
    let uri: Uri = destination.to_string().parse().map_err(|_| none())?;
    let matcher = Matcher::builder().all(url.as_str()).build();
    let intercept = matcher.intercept(&uri).ok_or_else(none)?;
    Ok(Proxy { uri: intercept.uri().clone(), auth: intercept.basic_auth().cloned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, variables: &[(&str, &str)]) -> Result<Option<String>, Vec<String>> {
        let destination = Destination::of_text(url).unwrap();
        let allowed = std::iter::once(destination.clone()).collect();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Ok(Proxies::of(&allowed, variable)?.get(&destination).map(ToString::to_string))
    }

    fn through(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        of(url, variables).unwrap()
    }

    #[test]
    fn the_scheme_of_the_store_says_which_variable_counts() {
        let both = [("HTTP_PROXY", "http://a:1"), ("https_proxy", "http://b:2")];
        assert_eq!(through("http://s", &both).unwrap(), "http://a:1");
        assert_eq!(through("https://s", &both).unwrap(), "http://b:2");
        let all = [("ALL_PROXY", "c:3"), ("HTTPS_PROXY", "")];
        assert_eq!(through("https://s", &all).unwrap(), "http://c:3");
        assert_eq!(through("https://s", &[]), None);
    }

    #[test]
    fn no_proxy_names_hosts_domains_networks_and_ports() {
        let is_direct = |url, no_proxy| {
            through(url, &[("ALL_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)]).is_none()
        };
        assert!(is_direct("https://a.tecton.ai", "localhost, tecton.ai"));
        assert!(is_direct("https://a.tecton.ai", ".tecton.ai"));
        assert!(is_direct("https://a.tecton.ai", "*.tecton.ai"));
        assert!(is_direct("https://a.tecton.ai", "*"));
        assert!(is_direct("http://10.1.2.3", "10.0.0.0/8"));
        assert!(is_direct("http://[::1]:80", "[::1]") && is_direct("http://[::1]:80", "::1"));
        assert!(is_direct("http://a:8080", "a:8080") && !is_direct("http://a:8081", "a:8080"));
        assert!(is_direct("http://a", "b a") && is_direct("http://a", "b,A"));
        assert!(!is_direct("https://nottecton.ai", "tecton.ai"));
        assert!(!is_direct("https://a.tecton.ai", ""));
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_a_problem_that_shows_nothing_of_it() {
        let why = |value| of("https://s", &[("HTTPS_PROXY", value)]).unwrap_err().join("\n");
        for value in ["http://me:s3cret@p:99999", "socks5://me:s3cret@p", "http://me:s3cret@"] {
            let why = why(value);
            assert!(why.starts_with("the environment variable HTTPS_PROXY must be a URL"), "{why}");
            assert!(!why.contains("s3cret") && !why.contains("me:"), "{why}");
        }
        assert!(of("http://s", &[("HTTPS_PROXY", "socks5://p")]).is_ok(), "it is not used");
    }

    #[test]
    fn user_name_and_password_are_in_the_header_and_nowhere_else() {
        let destination = Destination::of_text("https://s").unwrap();
        let proxy = proxy(&destination, "http://me:s3%40cret@p:1").unwrap();
        // base64 of `me:s3@cret`
        assert_eq!(proxy.auth.as_ref().unwrap(), "Basic bWU6czNAY3JldA==");
        let shown = format!("{proxy} {proxy:?}");
        assert!(!shown.contains("s3") && !shown.contains("bWU6"), "{shown}");
    }

    #[test]
    fn a_header_that_a_cgi_program_is_sent_is_no_proxy() {
        let variables = [("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(through("http://s", &variables), None);
    }
}
