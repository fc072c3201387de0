//! Secrets of a configuration: where they are kept, `{ "env": "NAME" }` or `{ "file": "path" }`, and
//! what they may look like.

use serde_json::{Map, Value};
use std::path::Path;

/// Where a secret is kept.
pub enum Reference<'a> {
    /// In the environment variable of that name.
    Env(&'a str),
    /// In the file at that path.
    File(&'a str),
}

impl<'a> Reference<'a> {
    /// An object of exactly one key, `env` or `file`, with a text.
    pub fn of(map: &'a Map<String, Value>) -> Option<Self> {
        let (name, value) = map.iter().next().filter(|_| map.len() == 1)?;
        match (name.as_str(), value.as_str()?) {
            ("env", name) => Some(Reference::Env(name)),
            ("file", path) => Some(Reference::File(path)),
            _ => None,
        }
    }

    /// What it refers to. A file is relative to `directory`.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn read(&self, directory: &Path) -> Result<String, String> {
        let (text, source) = match self {
            Reference::Env(name) => {
                let text = std::env::var(name).map_err(|error| match error {
                    std::env::VarError::NotPresent => {
                        format!("the environment variable {name} is not set")
                    }
                    std::env::VarError::NotUnicode(_) => {
                        format!("the environment variable {name} is not UTF-8")
                    }
                })?;
                (text, format!("the environment variable {name}"))
            }
            Reference::File(file) => {
                let path = directory.join(file);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    format!("the file {} cannot be read: {error}", path.display())
                })?;
                (text, format!("the file {}", path.display()))
            }
        };
        match usable_secret(&text) {
            Ok("") => Err(format!("{source} is empty")),
            Ok(secret) => Ok(secret.to_owned()),
            Err(why) => Err(format!("what {source} holds {why}")),
        }
    }
}

/// The secret that a text holds: the text without the line ends after it, which editors and
/// `kubectl create secret` leave there. This is the one rule for the form of a secret, wherever it
/// comes from: it is sent in a header, so it is printable ASCII on one line, and does not begin or end
/// with a space. It may be empty; whether it may be missing is for the caller.
///
/// # Errors
/// What is wrong with the text, for behind the name of its key. Shows nothing of it.
pub fn usable_secret(text: &str) -> Result<&str, &'static str> {
    let secret = text.trim_end_matches(['\r', '\n']);
    let printable = |byte: u8| matches!(byte, b' '..=b'~' | b'\t');
    match secret.bytes().all(printable) && secret.trim() == secret {
        true => Ok(secret),
        false => Err("must be printable ASCII, on one line, without spaces around it"),
    }
}

#[cfg(test)]
mod tests {
    use super::usable_secret;

    #[test]
    fn a_secret_is_printable_ascii_without_spaces_around_it() {
        for secret in ["k3y", "Bearer k3y", "a\tb", "", "~!@#"] {
            assert_eq!(usable_secret(secret), Ok(secret), "{secret:?}");
        }
        for text in ["k3y\nk3y", " k3y", "k3y ", "k3y \n", "\nk3y", "k\u{fc}y", "k\0y", "k\u{7f}"] {
            assert!(usable_secret(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn line_ends_after_a_secret_are_not_a_part_of_it() {
        for text in ["k3y\n", "k3y\r\n", "k3y\n\n"] {
            assert_eq!(usable_secret(text), Ok("k3y"), "{text:?}");
        }
    }
}
