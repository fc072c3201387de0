//! The formats that rows are read from and written to.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Compression, RowsError};

/// A file format. To add one, add a file to `read/` and one to `write/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object on each line.
    Ndjson,
    /// RFC 4180 with a header; separated by commas, or another [`Delimiter`](crate::Delimiter).
    Csv,
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC file, also known as Feather 2.
    Arrow,
    /// An Arrow IPC stream.
    Arrows,
}

impl Format {
    /// The format that a path's extension names, in any case: `.ndjson` or `.jsonl`, `.csv`, each
    /// also with `.gz` or `.zst` behind it; `.parquet`; `.arrow`, `.feather` or `.ipc`; `.arrows`.
    ///
    /// # Errors
    /// [`RowsError::UnknownExtension`] for every other one. `.json` is one of them: it mostly holds
    /// one document, and reading it line by line would fail on its second line.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, RowsError> {
        let path = path.as_ref();
        let compression = Compression::from_path(path);
        let inner = match compression {
            Compression::None => path.to_owned(),
            _ => path.with_extension(""),
        };
        let extension = inner.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
        let format = match extension.as_deref() {
            Some("ndjson" | "jsonl") => Self::Ndjson,
            Some("csv") => Self::Csv,
            Some("parquet") => Self::Parquet,
            Some("arrow" | "feather" | "ipc") => Self::Arrow,
            Some("arrows") => Self::Arrows,
            _ => return Err(RowsError::UnknownExtension { path: path.to_owned() }),
        };
        if compression == Compression::None {
            return Ok(format);
        }
        format.check(compression, &path.display().to_string().into()).map(|()| format)
    }

    /// Whether there can be a compression around it.
    pub(crate) fn check(self, compression: Compression, name: &Arc<str>) -> Result<(), RowsError> {
        let is_text = matches!(self, Self::Ndjson | Self::Csv);
        if is_text || compression == Compression::None {
            return Ok(());
        }
        Err(RowsError::CompressedInside {
            name: name.clone(),
            format: self,
            compression: compression.name(),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Arrows => "arrows",
        })
    }
}

impl FromStr for Format {
    type Err = RowsError;

    fn from_str(name: &str) -> Result<Self, RowsError> {
        match name {
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "arrow" | "feather" | "ipc" => Ok(Self::Arrow),
            "arrows" => Ok(Self::Arrows),
            _ => Err(RowsError::UnknownFormat { name: name.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_names_the_format_in_any_case() {
        for (path, format) in [
            ("a.ndjson", Format::Ndjson),
            ("b/a.JSONL", Format::Ndjson),
            ("a.b.csv", Format::Csv),
            ("a.csv.gz", Format::Csv),
            ("a.jsonl.ZST", Format::Ndjson),
            ("a.parquet", Format::Parquet),
            ("a.feather", Format::Arrow),
            ("a.arrows", Format::Arrows),
        ] {
            assert_eq!(Format::from_path(path).unwrap(), format);
        }
    }

    #[test]
    fn an_unknown_extension_names_the_option() {
        insta::assert_snapshot!(Format::from_path("rows.json").unwrap_err(), @"rows.json: unknown format; name it with --input-format or --output-format (ndjson, csv, parquet, arrow or arrows), or end the name in .ndjson, .jsonl, .csv, .parquet, .arrow or .arrows");
        insta::assert_snapshot!(Format::from_path("rows.gz").unwrap_err(), @"rows.gz: unknown format; name it with --input-format or --output-format (ndjson, csv, parquet, arrow or arrows), or end the name in .ndjson, .jsonl, .csv, .parquet, .arrow or .arrows");
        insta::assert_snapshot!(Format::from_path("rows.parquet.gz").unwrap_err(), @"rows.parquet.gz: parquet is compressed inside; leave gzip away");
        insta::assert_snapshot!("xml".parse::<Format>().unwrap_err(), @r#"unknown format "xml"; use ndjson, csv, parquet, arrow or arrows"#);
    }
}
