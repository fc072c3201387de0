//! How a user names a component in a registry: by its place, and by the digest of its bytes.

use http::uri::Authority;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use url::Url;

/// What a reference begins with.
pub const SCHEME: &str = "oci://";

/// `oci://REGISTRY/NAME@sha256:…`. A tag may stand before the digest; the digest is what counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: Authority,
    name: String,
    version: Version,
}

/// A SHA-256, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digits alone.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() == 64 && hex.bytes().all(is_digit) {
            Ok(Digest(hex.to_owned()))
        } else {
            Err("a digest is `sha256:` and 64 hexadecimal digits, in lower case".to_owned())
        }
    }
}

/// Which of the components under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// This one.
    Digest(Digest),
    /// Whichever has the tag now.
    Tag(String),
}

impl Reference {
    /// The registry's host, and its port where one is named.
    pub fn registry(&self) -> &str {
        self.registry.as_str()
    }

    /// The name in the registry, such as `beamlet/tecton`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn version(&self) -> &Version {
        &self.version
    }

    /// The same component, pinned.
    pub(crate) fn pinned(&self, digest: Digest) -> Self {
        Reference { version: Version::Digest(digest), ..self.clone() }
    }

    /// Whether the registry is on this machine, so that no TLS is needed.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.registry.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The URL of something that belongs to the name: `manifests` or `blobs`.
    pub(crate) fn url(&self, kind: &str, which: &dyn fmt::Display) -> String {
        let scheme = if self.is_local() { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}/{kind}/{which}", self.registry, self.name)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.name)?;
        match &self.version {
            Version::Digest(digest) => write!(f, "@{digest}"),
            Version::Tag(tag) => write!(f, ":{tag}"),
        }
    }
}

/// A text names no component of a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}: {why}")]
pub struct ReferenceError {
    /// The text, without what may be a password.
    text: String,
    /// What is wrong with it, and what to write.
    why: String,
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        // Text before an @ in the registry's place may be a password.
        let shown = if user_info(text) { format!("{SCHEME}…") } else { text.to_owned() };
        let bad = |why: &str| ReferenceError { text: shown.clone(), why: why.to_owned() };
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let (registry, rest) =
            rest.split_once('/').ok_or_else(|| bad("there is no name behind the registry"))?;
        if user_info(text) {
            return Err(bad("credentials do not belong here; `docker login` keeps them"));
        }
        let registry: Authority = registry
            .parse()
            .map_err(|_| bad("the registry is no host name, with or without a port"))?;
        // The type above takes any digits for a port.
        if Url::parse(&format!("https://{registry}")).is_err() {
            return Err(bad("the registry is no host name, with or without a port up to 65535"));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse::<Digest>().map_err(|why| bad(&why))?))
            }
            None => (rest, None),
        };
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        if !name.split('/').all(is_component) {
            return Err(bad(
                "the name has lower-case letters and digits, separated by one of . _ - /",
            ));
        }
        if !tag.is_none_or(is_tag) {
            return Err(bad("a tag has letters, digits and . _ -, and at most 128 of them"));
        }
        let version = match (digest, tag) {
            (Some(digest), _) => Version::Digest(digest),
            (None, Some(tag)) => Version::Tag(tag.to_owned()),
            (None, None) => return Err(bad("the digest is missing; write NAME@sha256:…")),
        };
        Ok(Reference { registry, name: name.to_owned(), version })
    }
}

/// Whether somebody wrote credentials in front of the registry.
fn user_info(text: &str) -> bool {
    let rest = text.strip_prefix(SCHEME).unwrap_or(text);
    rest.split('/').next().is_some_and(|registry| registry.contains('@'))
}

/// One part of a name, as the distribution specification has it: letters and digits with single
/// separators between them, where `__` and any number of `-` count as one.
fn is_component(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(is_plain).filter(|between| !between.is_empty());
    part.starts_with(is_plain)
        && part.ends_with(is_plain)
        && separators
            .into_iter()
            .all(|between| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_reference_is_written_as_it_was_read_and_the_digest_counts_before_the_tag() {
        let pinned = format!("oci://registry.example:5000/beamlet/tecton@{DIGEST}");
        assert_eq!(pinned.parse::<Reference>().unwrap().to_string(), pinned);
        let tagged = format!("oci://registry.example:5000/beamlet/tecton:0.1.0@{DIGEST}");
        assert_eq!(tagged.parse::<Reference>().unwrap().to_string(), pinned);
    }

    #[test]
    fn only_a_registry_on_this_machine_is_reached_without_tls() {
        let url = |registry: &str| {
            let reference = format!("oci://{registry}/tecton:1").parse::<Reference>().unwrap();
            reference.url("blobs", &"x")
        };
        assert_eq!(url("127.0.0.1:5000"), "http://127.0.0.1:5000/v2/tecton/blobs/x");
        assert_eq!(url("[::1]:5000"), "http://[::1]:5000/v2/tecton/blobs/x");
        assert_eq!(url("localhost"), "http://localhost/v2/tecton/blobs/x");
        assert_eq!(url("localhost.example"), "https://localhost.example/v2/tecton/blobs/x");
        assert_eq!(url("10.0.0.1:5000"), "https://10.0.0.1:5000/v2/tecton/blobs/x");
    }

    #[test]
    fn a_text_that_is_no_reference_is_refused_with_the_reason() {
        let why = |text: &str| text.parse::<Reference>().unwrap_err().to_string();
        insta::assert_snapshot!(why("oci://registry.example"), @"oci://registry.example: there is no name behind the registry");
        insta::assert_snapshot!(why("oci://registry.example/tecton"), @"oci://registry.example/tecton: the digest is missing; write NAME@sha256:…");
        insta::assert_snapshot!(why("oci://registry.example/Tecton:1"), @"oci://registry.example/Tecton:1: the name has lower-case letters and digits, separated by one of . _ - /");
        insta::assert_snapshot!(why("oci://registry.example/a..b:1"), @"oci://registry.example/a..b:1: the name has lower-case letters and digits, separated by one of . _ - /");
        insta::assert_snapshot!(why("oci://registry.example/../etc:1"), @"oci://registry.example/../etc:1: the name has lower-case letters and digits, separated by one of . _ - /");
        insta::assert_snapshot!(why("oci://registry.example/tecton:a b"), @"oci://registry.example/tecton:a b: a tag has letters, digits and . _ -, and at most 128 of them");
        insta::assert_snapshot!(why("oci://registry example/tecton:1"), @"oci://registry example/tecton:1: the registry is no host name, with or without a port");
        insta::assert_snapshot!(why("oci://registry.example:99999/tecton:1"), @"oci://registry.example:99999/tecton:1: the registry is no host name, with or without a port up to 65535");
        insta::assert_snapshot!(why("oci://registry.example/tecton@sha256:abc"), @"oci://registry.example/tecton@sha256:abc: a digest is `sha256:` and 64 hexadecimal digits, in lower case");
    }

    #[test]
    fn a_password_in_a_reference_is_refused_and_not_repeated() {
        let text = format!("oci://ada:s3cret@registry.example/tecton@{DIGEST}");
        let why = text.parse::<Reference>().unwrap_err().to_string();
        assert!(!why.contains("s3cret"), "{why}");
        insta::assert_snapshot!(why, @"oci://…: credentials do not belong here; `docker login` keeps them");
    }
}
