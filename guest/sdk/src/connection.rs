//! The section `connection` of a configuration: the store's URL, the credential, further headers
//! and time-outs.
//!
//! A handler names the parts that it has in a constant [`ConnectionForm`], which reads the section,
//! checks it and describes it as a JSON Schema. What it reads is a [`Connection`], from which
//! targets of requests are made.

use crate::config::{Section, kind, parse_url, usable_secret};
use crate::transport::{Target, Timeouts};
use http::HeaderName;
use serde_json::Value;
use std::collections::BTreeMap;

/// The parts that a handler's `connection` has.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionForm {
    /// A URL of the store, as an example.
    pub url: &'static str,
    /// The description of the URL in the JSON Schema.
    pub url_description: &'static str,
    /// The secret that the store asks for, where it asks for one.
    pub credential: Option<Credential>,
    /// Where further headers and time-outs stand.
    pub options: Options,
    /// The value of the header `user-agent`, such as `beamlet-tecton/0.1.0`.
    pub user_agent: &'static str,
}

/// A secret that is sent in a header.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// Its key in the configuration, such as `api_key`.
    pub key: &'static str,
    /// The header, in lower case, such as `authorization` or `x-api-key`.
    pub header: &'static str,
    /// The text before the secret, such as `Bearer `.
    pub prefix: &'static str,
    /// Whether it must be set.
    pub required: bool,
    /// Its description in the JSON Schema.
    pub description: &'static str,
}

/// Where the options `headers`, `timeout_ms` and `connect_timeout_ms` stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Options {
    /// The handler has none.
    None,
    /// In `connection` itself.
    Here,
    /// In an object of this name inside `connection`, where unknown keys pass with a warning.
    Under(&'static str),
}

/// How to reach a store.
#[derive(Clone)]
pub struct Connection {
    url: BaseUrl,
    headers: Vec<(String, Vec<u8>)>,
    timeouts: Timeouts,
}

/// Headers that a user cannot set, with the reason.
const RESERVED: [(&str, &str); 5] = [
    ("content-type", "the handler sets it"),
    ("content-length", "the handler sets it"),
    ("host", "it comes from `url`"),
    ("connection", "the host sets it"),
    ("transfer-encoding", "the host sets it"),
];

/// The longest time-out, in milliseconds.
const LONGEST_MS: i64 = 600_000;

impl ConnectionForm {
    /// Reads the parts from the section. The handler reads its own keys of the section, and closes
    /// it. `None` where a required part is missing or wrong, which is a problem then.
    pub fn read(&self, section: &Section<'_>) -> Option<Connection> {
        let credential = self.credential.map(|credential| credential.key);
        let url = section.required_text("url").and_then(|url| {
            let url = BaseUrl::parse_beside(url, self.url, credential);
            url.map_err(|why| section.problem("url", why)).ok()
        });
        let secret = self.credential.map(|credential| credential.read(section));
        let options = match self.options {
            Options::None => (Vec::new(), Timeouts::default()),
            Options::Here => self.read_options(section),
            Options::Under(name) => {
                let inner = section.section(name, false);
                let options = self.read_options(&inner);
                inner.close_leniently();
                options
            }
        };
        let (own, timeouts) = options;
        let mut headers: Vec<(String, Vec<u8>)> =
            secret.unwrap_or(Some(None))?.into_iter().collect();
        headers.push(("content-type".to_owned(), b"application/json".to_vec()));
        if !own.iter().any(|(name, _)| name == "user-agent") {
            headers.push(("user-agent".to_owned(), self.user_agent.into()));
        }
        headers.extend(own);
        Some(Connection { url: url?, headers, timeouts })
    }

    fn read_options(&self, section: &Section<'_>) -> (Vec<(String, Vec<u8>)>, Timeouts) {
        let ms = |name| section.integer(name, 1..=LONGEST_MS).map(|ms| ms as u64);
        let (response_ms, connect_ms) = (ms("timeout_ms"), ms("connect_timeout_ms"));
        let headers = self.read_headers(&section.section("headers", false));
        (headers, Timeouts { connect_ms, response_ms })
    }

    fn read_headers(&self, section: &Section<'_>) -> Vec<(String, Vec<u8>)> {
        let mut headers = BTreeMap::new();
        for (key, value) in section.entries() {
            let Ok(name) = key.parse::<HeaderName>() else {
                section.problem(key, "is not the name of a header");
                continue;
            };
            if let Some(why) = self.reserved(name.as_str()) {
                section.problem(key, format!("cannot be set here: {why}"));
                continue;
            }
            let Some(value) = value.as_str() else {
                section.problem(key, format!("must be a string, is {}", kind(value)));
                continue;
            };
            match usable_secret(value) {
                Ok(value) => {
                    let value = value.as_bytes().to_vec();
                    if headers.insert(name.as_str().to_owned(), value).is_some() {
                        section.problem(key, "is there twice, in another case");
                    }
                }
                Err(why) => section.problem(key, why),
            }
        }
        headers.into_iter().collect()
    }

    /// Why a user cannot set a header.
    fn reserved(&self, name: &str) -> Option<String> {
        if let Some(credential) = self.credential.filter(|credential| credential.header == name) {
            return Some(format!("the handler makes it from `{}`", credential.key));
        }
        RESERVED.iter().find(|(it, _)| *it == name).map(|(_, why)| (*why).to_owned())
    }

    /// The JSON Schema of the section: an object, to which a handler adds the keys of its own.
    /// Secrets are `writeOnly`: the host keeps them, and the handler gets placeholders.
    pub fn schema(&self) -> Value {
        let mut schema = parsed(SCHEMA);
        let url = &mut schema["properties"]["url"];
        url["description"] = self.url_description.into();
        url["examples"] = vec![self.url].into();
        let mut add = |key: &str, of: Value| schema["properties"][key] = of;
        if let Some(credential) = &self.credential {
            let mut secret = parsed(SECRET);
            secret["description"] = credential.description.into();
            add(credential.key, secret);
        }
        match (self.options, parsed(OPTIONS)) {
            (Options::None, _) => {}
            (Options::Here, Value::Object(mut options)) => {
                if let Some(Value::Object(properties)) = options.remove("properties") {
                    properties.into_iter().for_each(|(key, of)| add(&key, of));
                }
            }
            (Options::Here, _) => {}
            (Options::Under(name), options) => add(name, options),
        }
        let required = self.credential.filter(|credential| credential.required);
        let required: Vec<&str> =
            ["url"].into_iter().chain(required.map(|credential| credential.key)).collect();
        schema["required"] = required.into();
        schema
    }
}

/// The section, with its URL.
const SCHEMA: &str = r#"{
    "type": "object",
    "additionalProperties": false,
    "properties": { "url": { "type": "string", "format": "uri" } },
    "description": "Where the feature store is, and which credential it gets."
}"#;

/// A credential.
const SECRET: &str = r#"{ "type": "string", "minLength": 1, "writeOnly": true }"#;

/// The options, as an object of their own.
const OPTIONS: &str = r#"{
    "type": "object",
    "description": "Further options of the connection. An unknown one has no effect, and is reported in a warning.",
    "default": {},
    "properties": {
        "headers": {
            "type": "object",
            "description": "Headers to send with each request, by name. Their values are secrets.",
            "additionalProperties": { "type": "string", "writeOnly": true },
            "default": {},
            "examples": [{ "x-request-source": "beamlet" }]
        },
        "timeout_ms": {
            "type": ["integer", "null"], "minimum": 1, "maximum": 600000,
            "description": "How long to wait for an answer to begin, and then between two parts of it, in milliseconds. Without it, the host decides.",
            "examples": [2000]
        },
        "connect_timeout_ms": {
            "type": ["integer", "null"], "minimum": 1, "maximum": 600000,
            "description": "How long to wait for a connection, in milliseconds. Without it, the host decides.",
            "examples": [500]
        }
    }
}"#;

fn parsed(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap_or_default()
}

impl Credential {
    /// An API key or token that is sent as `authorization: Bearer …`.
    pub const fn bearer(key: &'static str, required: bool, description: &'static str) -> Self {
        Credential { key, header: "authorization", prefix: "Bearer ", required, description }
    }

    /// The header with the secret: `None` where a secret that must be set is not, `Some(None)`
    /// where there is none.
    fn read(&self, section: &Section<'_>) -> Option<Option<(String, Vec<u8>)>> {
        let secret = match self.required {
            true => Some(section.required_text(self.key)?),
            false => section.text(self.key),
        };
        let secret = secret.map(|secret| {
            usable_secret(secret).unwrap_or_else(|why| {
                section.problem(self.key, why);
                secret
            })
        });
        Some(secret.map(|secret| {
            let value = format!("{}{secret}", self.prefix);
            (self.header.to_owned(), value.into_bytes())
        }))
    }
}

impl Connection {
    /// The target of an endpoint: a path below the path of the URL that starts with a slash.
    pub fn target(&self, endpoint: &str) -> Target {
        self.url.target(endpoint, self.headers.clone(), self.timeouts)
    }
}

/// The URL of a store: scheme, authority and base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    secure: bool,
    authority: String,
    /// Without a slash at its end.
    base: String,
}

impl BaseUrl {
    /// Reads a URL such as `example`. The error says what is wrong, for the end of a message, and
    /// shows nothing of the URL but its scheme.
    ///
    /// # Errors
    /// It is not an http or https URL, or has parts that a base URL cannot have.
    pub fn parse(url: &str, example: &str) -> Result<Self, String> {
        Self::parse_beside(url, example, None)
    }

    /// The same, beside a key of the configuration that holds the credential.
    fn parse_beside(url: &str, example: &str, credential: Option<&str>) -> Result<Self, String> {
        let form = format!("must be a URL such as {example}");
        let parsed = parse_url(url, &["http", "https"]).map_err(|why| format!("{form}; {why}"))?;
        let secure = parsed.scheme() == "https";
        if !parsed.username().is_empty() || parsed.password().is_some() {
            let instead = credential.map(|key| format!("; the key goes into `{key}`"));
            let instead = instead.unwrap_or_default();
            return Err(format!("{form}, without user name and password{instead}"));
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

    /// The target of an endpoint: a path below the base path that starts with a slash. Header names
    /// are in lower case.
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
    use super::*;
    use crate::config::Problems;
    use serde_json::json;

    const FORM: ConnectionForm = ConnectionForm {
        url: "https://store.example",
        url_description: "The store.",
        credential: Some(Credential {
            key: "token",
            header: "x-token",
            prefix: "",
            required: false,
            description: "A token.",
        }),
        options: Options::Here,
        user_agent: "test/1",
    };

    /// The headers and time-outs of a section, or its problems.
    fn read(form: ConnectionForm, section: &Value) -> Result<(String, Timeouts), String> {
        let problems = Problems::default();
        let root = Section::root(section, &problems);
        let connection = form.read(&root);
        root.close();
        let target = problems.or(connection).map(|connection| connection.target("/x"));
        let target = target.map_err(|problems| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        })?;
        let header = |(name, value): &(String, Vec<u8>)| {
            format!("{name}: {}", String::from_utf8_lossy(value))
        };
        let headers: Vec<String> = target.headers.iter().map(header).collect();
        Ok((headers.join(", "), target.timeouts))
    }

    #[test]
    fn a_credential_is_sent_in_the_header_that_the_handler_names() {
        let section = json!({
            "url": "http://h", "token": "t0p", "timeout_ms": 7, "headers": { "X-A": "b" },
        });
        let (headers, timeouts) = read(FORM, &section).unwrap();
        assert_eq!(
            headers,
            "x-token: t0p, content-type: application/json, user-agent: test/1, x-a: b"
        );
        assert_eq!(timeouts, Timeouts { connect_ms: None, response_ms: Some(7) });
        let bearer = Credential::bearer("api_key", true, "A key.");
        let form = ConnectionForm { credential: Some(bearer), options: Options::None, ..FORM };
        let (headers, _) = read(form, &json!({ "url": "http://h", "api_key": "k" })).unwrap();
        assert!(headers.starts_with("authorization: Bearer k, "), "{headers}");
    }

    #[test]
    fn a_credential_may_be_left_out_or_must_be_there() {
        assert!(read(FORM, &json!({ "url": "http://h" })).is_ok());
        let bearer = Credential::bearer("api_key", true, "A key.");
        let form = ConnectionForm { credential: Some(bearer), ..FORM };
        let problems = read(form, &json!({ "url": "http://u:p@h" })).unwrap_err();
        assert_eq!(
            problems,
            "/url: must be a URL such as https://store.example, without user name and password; \
             the key goes into `api_key`; /api_key: is required"
        );
    }

    #[test]
    fn a_header_that_the_handler_makes_is_refused_and_no_secret_is_shown() {
        let section = json!({
            "url": "http://h", "token": "s3\ncret", "headers": { "X-Token": "s3cret", "host": "h" },
        });
        let problems = read(FORM, &section).unwrap_err();
        assert!(
            problems.contains(
                "/headers/X-Token: cannot be set here: the handler makes it from `token`"
            )
        );
        assert!(problems.contains("/token: must be printable ASCII"));
        assert!(!problems.contains("cret"));
    }

    #[test]
    fn the_schema_has_the_parts_of_the_form_and_marks_secrets() {
        let schema = FORM.schema();
        assert_eq!(schema["required"], json!(["url"]));
        assert_eq!(schema["properties"]["token"]["writeOnly"], json!(true));
        assert_eq!(schema["properties"]["timeout_ms"]["maximum"], json!(600_000));
        let form = ConnectionForm { options: Options::Under("kwargs"), ..FORM };
        let headers = "/properties/kwargs/properties/headers/additionalProperties/writeOnly";
        assert_eq!(form.schema().pointer(headers), Some(&json!(true)));
    }

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
    fn a_url_that_cannot_be_a_base_url_is_refused_with_the_reason() {
        let why = |url| parse(url).unwrap_err();
        assert!(why("example.tecton.ai").contains("no scheme"));
        assert!(why("ftp://example").contains("\"ftp\""));
        assert!(why("https://u:p@example").ends_with("without user name and password"));
        assert!(why("https://example?x=1").contains("query"));
        assert!(why("https://example#x").contains("fragment"));
        assert!(!why("https://u:secret@example").contains("secret"));
    }
}
