//! URLs in a configuration. Every URL that a user writes goes through this one parser, so that
//! what is checked, what is granted and what is connected to cannot differ.

use url::{ParseError, Url};

/// Reads an absolute URL of one of these schemes, with a host. A port that is the scheme's own is
/// dropped, the host is in its one normal form.
///
/// # Errors
/// What is wrong, for behind the form that a URL must have. Shows nothing of the text but its
/// scheme: there may be a password in it.
pub fn parse_url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    // The parser would repair these in silence.
    if text.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '\\') {
        return Err("it has a space, a backslash or a control character".to_owned());
    }
    // The parser is built without the tables of Unicode, which would double a component's size.
    if !host_of(text).is_ascii() {
        return Err("its host name is not ASCII; write it in its `xn--` form".to_owned());
    }
    if host_of(text).contains('%') {
        return Err("its host name is percent-encoded; write it as it is".to_owned());
    }
    let url = Url::parse(text).map_err(|error| match error {
        ParseError::RelativeUrlWithoutBase => "it has no scheme".to_owned(),
        ParseError::InvalidPort => "the port is not a number up to 65535".to_owned(),
        ParseError::EmptyHost => "it has no host".to_owned(),
        error => error.to_string(),
    })?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("the scheme {:?} is not {}", url.scheme(), schemes.join(" or ")));
    }
    let Some((_, rest)) = text.split_once("://") else {
        return Err("`//` is missing behind the scheme".to_owned());
    };
    // The parser would take a missing host from the path.
    if rest.starts_with('/') || url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host".to_owned());
    }
    if url.port() == Some(0) {
        return Err("the port is 0".to_owned());
    }
    Ok(url)
}

/// What stands where a URL has its host and port.
fn host_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        parse_url(text, &["http", "https"]).unwrap_err()
    }

    #[test]
    fn a_url_is_in_one_form_however_it_is_written() {
        let form = |text| parse_url(text, &["http", "https"]).unwrap().to_string();
        assert_eq!(form("HTTPS://Example.Tecton.AI:443"), "https://example.tecton.ai/");
        assert_eq!(form("http://127.1:80"), "http://127.0.0.1/");
        assert_eq!(form("http://[0:0::1]:8080/a"), "http://[::1]:8080/a");
    }

    #[test]
    fn a_port_that_is_none_is_not_taken_for_another_one() {
        for url in ["http://127.0.0.1:99999", "http://h:65536", "http://h:80x", "http://h:-1"] {
            assert_eq!(why(url), "the port is not a number up to 65535", "{url}");
        }
        assert_eq!(why("http://h:0"), "the port is 0");
    }

    #[test]
    fn what_a_parser_would_repair_is_refused() {
        for url in [" http://h", "http://h ", "http://h/a b", "http:\\\\h", "http://h\n"] {
            assert_eq!(why(url), "it has a space, a backslash or a control character", "{url:?}");
        }
        assert_eq!(why("http:h"), "`//` is missing behind the scheme");
        assert_eq!(why("http:///h"), "it has no host");
        assert_eq!(why("http://"), "it has no host");
        assert_eq!(why("http://[::1"), "invalid IPv6 address");
    }

    #[test]
    fn another_scheme_or_none_is_refused() {
        assert_eq!(why("h"), "it has no scheme");
        assert_eq!(why("h:8080"), "the scheme \"h\" is not http or https");
        assert_eq!(why("redis://h"), "the scheme \"redis\" is not http or https");
    }

    #[test]
    fn a_host_name_outside_ascii_is_asked_for_in_its_other_form() {
        assert_eq!(
            why("https://b\u{fc}cher.example"),
            "its host name is not ASCII; write it in its `xn--` form"
        );
        assert!(parse_url("https://xn--bcher-kva.example", &["https"]).is_ok());
        // With a capital letter beside it, the parser of a debug build would panic.
        for host in ["V\u{feff}V", "u@V\u{feff}V:80", "V%41\u{fc}"] {
            let why = why(&format!("https://{host}/"));
            assert_eq!(why, "its host name is not ASCII; write it in its `xn--` form", "{host:?}");
        }
        // Elsewhere it is no matter.
        assert!(parse_url("https://\u{fc}:\u{fc}@h/\u{fc}?\u{fc}#\u{fc}", &["https"]).is_ok());
    }

    #[test]
    fn a_host_that_is_percent_encoded_is_refused_too() {
        for url in ["https://V%EF%BB%BFV", "https://u:p@h%41:80/"] {
            assert_eq!(why(url), "its host name is percent-encoded; write it as it is");
        }
        assert!(parse_url("https://u%41:p%41@h/%41", &["https"]).is_ok());
    }
}
