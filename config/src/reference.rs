//! A secret that a configuration refers to: `{ "env": "NAME" }` or `{ "file": "path" }`.

use serde_json::{Map, Value};
use std::path::Path;

/// Where a secret is kept.
pub enum Reference<'a> {
    /// In the environment variable of that name.
    Env(&'a str),
    /// In the file at that path; a line end after it is not a part of it.
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
        let (secret, source) = match self {
            Reference::Env(name) => {
                let secret = std::env::var(name).map_err(|error| match error {
                    std::env::VarError::NotPresent => {
                        format!("the environment variable {name} is not set")
                    }
                    std::env::VarError::NotUnicode(_) => {
                        format!("the environment variable {name} is not UTF-8")
                    }
                })?;
                (secret, format!("the environment variable {name}"))
            }
            Reference::File(file) => {
                let path = directory.join(file);
                let secret = std::fs::read_to_string(&path).map_err(|error| {
                    format!("the file {} cannot be read: {error}", path.display())
                })?;
                (
                    secret.trim_end_matches(['\r', '\n']).to_owned(),
                    format!("the file {}", path.display()),
                )
            }
        };
        if secret.is_empty() {
            return Err(format!("{source} is empty"));
        }
        usable_secret(&secret).map_err(|why| format!("what {source} holds {why}"))?;
        Ok(secret)
    }
}

/// Whether a text can be a secret: it travels in a header.
///
/// # Errors
/// What is wrong with it, for behind the name of its key.
pub fn usable_secret(secret: &str) -> Result<(), String> {
    let printable = |byte: u8| matches!(byte, b' '..=b'~' | b'\t');
    match secret.bytes().all(printable) && secret.trim() == secret {
        true => Ok(()),
        false => Err("must be printable ASCII, on one line, without spaces around it".to_owned()),
    }
}
