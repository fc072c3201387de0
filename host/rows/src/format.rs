//! The formats that rows are read from and written to.

use std::path::Path;
use std::str::FromStr;

use crate::RowsError;

/// A file format. To add one, add a file to `read/` and one to `write/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object on each line.
    Ndjson,
    /// RFC 4180 with a header, comma-separated.
    Csv,
}

impl Format {
    /// The format that a path's extension names, in any case: `.ndjson`, `.jsonl`, `.csv`.
    ///
    /// # Errors
    /// [`RowsError::UnknownExtension`] for every other one. `.json` is one of them: it mostly holds
    /// one document, and reading it line by line would fail on its second line.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, RowsError> {
        let path = path.as_ref();
        let extension = path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("ndjson" | "jsonl") => Ok(Self::Ndjson),
            Some("csv") => Ok(Self::Csv),
            _ => Err(RowsError::UnknownExtension { path: path.to_owned() }),
        }
    }
}

impl FromStr for Format {
    type Err = RowsError;

    fn from_str(name: &str) -> Result<Self, RowsError> {
        match name {
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err(RowsError::UnknownFormat { name: name.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_names_the_format_in_any_case() {
        for (path, format) in
            [("a.ndjson", Format::Ndjson), ("b/a.JSONL", Format::Ndjson), ("a.b.csv", Format::Csv)]
        {
            assert_eq!(Format::from_path(path).unwrap(), format);
        }
    }

    #[test]
    fn an_unknown_extension_names_the_option() {
        insta::assert_snapshot!(Format::from_path("rows.json").unwrap_err(), @"rows.json: unknown format; name it with --input-format or --output-format (ndjson or csv), or end the name in .ndjson, .jsonl or .csv");
        insta::assert_snapshot!("xml".parse::<Format>().unwrap_err(), @r#"unknown format "xml"; use ndjson or csv"#);
    }
}
