//! The repository file: TOML with `[settings]`, `[[fault]]`, `[[api_key]]` and `[[workspace]]`.

use std::path::Path;

use serde::Deserialize;

use super::{ApiKey, Repository, RepositoryError, Workspace};
use crate::faults::Fault;
use crate::settings::Settings;

/// A repository and the settings that come with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepositoryFile {
    /// What is served.
    pub repository: Repository,
    /// How it is served; the file's `[[fault]]` tables are among them.
    pub settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    settings: Settings,
    #[serde(default, rename = "fault")]
    faults: Vec<Fault>,
    #[serde(default, rename = "api_key")]
    api_keys: Vec<ApiKey>,
    #[serde(default, rename = "workspace")]
    workspaces: Vec<Workspace>,
}

impl RepositoryFile {
    /// Reads the file at `path`. The sources that it names are read when the emulator starts.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or has an unknown or wrongly typed field.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RepositoryError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| RepositoryError::Read { path: path.to_owned(), source })?;
        let mut file = Self::parse(&text, &path.display().to_string())?;
        file.repository.origin = Some(path.to_owned());
        Ok(file)
    }

    /// Reads the text of a repository file; paths in it are relative to the working folder.
    ///
    /// # Errors
    /// The text is not TOML, or has an unknown or wrongly typed field.
    pub fn from_toml(text: &str) -> Result<Self, RepositoryError> {
        Self::parse(text, "repository")
    }

    fn parse(text: &str, name: &str) -> Result<Self, RepositoryError> {
        let document: Document = toml::from_str(text).map_err(|source| RepositoryError::Toml {
            file: name.to_owned(),
            source: Box::new(source),
        })?;
        Ok(Self {
            repository: Repository {
                origin: None,
                api_keys: document.api_keys,
                workspaces: document.workspaces,
            },
            settings: Settings { faults: document.faults, ..document.settings },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        RepositoryFile::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn a_wrong_type_is_reported_with_line_and_column() {
        let found = problem(
            "[[workspace]]\nname = \"w\"\n[[workspace.service]]\nname = \"s\"\njoin_keys = [\"a: int46\"]\n",
        );
        assert!(found.contains("line 5, column 13"), "{found}");
        assert!(found.contains("`a: int46` is no type"), "{found}");
    }

    #[test]
    fn an_unknown_field_is_reported_by_name() {
        let found = problem("[[workspace]]\nname = \"w\"\nalive = true\n");
        assert!(found.contains("alive"), "{found}");
        assert!(found.contains("line 3"), "{found}");
    }

    #[test]
    fn a_feature_is_text_or_a_table() {
        let file = RepositoryFile::from_toml(
            r#"
            [[workspace]]
            name = "w"
            [[workspace.service]]
            name = "s"
            [[workspace.service.view]]
            name = "v"
            features = ["a: int64", { name = "b", type = "string", column = "c" }]
            "#,
        )
        .unwrap();
        let features = &file.repository.workspaces[0].services[0].views[0].features;
        assert_eq!(features[0].name, "a");
        assert_eq!(features[1].value, crate::repository::FeatureValue::Column("c".to_owned()));
    }
}
