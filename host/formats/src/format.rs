//! What an input or an output is: its format and its compression, by name, by extension, or by the
//! first bytes.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// A format or a compression that is not known, or two that do not go together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A path's extension does not name a format.
    #[error("{}: unknown format; name it with --input-format or --output-format (ndjson, csv, parquet, arrow or arrows), or end the name in .ndjson, .jsonl, .csv, .parquet, .arrow or .arrows", path.display())]
    UnknownExtension {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A name does not stand for a format.
    #[error("unknown format {name:?}; use ndjson, csv, parquet, arrow or arrows")]
    UnknownName {
        /// The name as it was given.
        name: String,
    },
    /// A name does not stand for a compression.
    #[error("unknown compression {name:?}; use none, gzip or zstd")]
    UnknownCompression {
        /// The name as it was given.
        name: String,
    },
    /// A format that compresses its own data cannot be compressed again.
    #[error("{name}: {format} compresses its data itself; leave out {compression}")]
    CompressedInside {
        /// The input's or the output's name.
        name: Arc<str>,
        /// The format.
        format: Format,
        /// The compression around it.
        compression: &'static str,
    },
}

/// A file format. To add one, add a file to `read/` and one to `write/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One JSON object on each line.
    Ndjson,
    /// RFC 4180 with a header, separated by commas or another [`Delimiter`](crate::Delimiter).
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
    /// [`FormatError::UnknownExtension`] for every other extension. That includes `.json`: such a
    /// file mostly holds one document, and reading it line by line would fail on the second line.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, FormatError> {
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
            _ => return Err(FormatError::UnknownExtension { path: path.to_owned() }),
        };
        if compression == Compression::None {
            return Ok(format);
        }
        format.check(compression, &path.display().to_string().into()).map(|()| format)
    }

    /// Checks that the format can be combined with `compression`.
    pub(crate) fn check(
        self,
        compression: Compression,
        name: &Arc<str>,
    ) -> Result<(), FormatError> {
        let is_text = matches!(self, Self::Ndjson | Self::Csv);
        if is_text || compression == Compression::None {
            return Ok(());
        }
        Err(FormatError::CompressedInside {
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
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        match name {
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "arrow" | "feather" | "ipc" => Ok(Self::Arrow),
            "arrows" => Ok(Self::Arrows),
            _ => Err(FormatError::UnknownName { name: name.to_owned() }),
        }
    }
}

/// How NDJSON or CSV is compressed. Parquet and Arrow files compress their data themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not compressed.
    #[default]
    None,
    /// gzip, with one or more members, as `bgzip` and `cat` make them.
    Gzip,
    /// Zstandard, with one or more frames.
    Zstd,
}

impl Compression {
    /// The compression that a path's extension names, in any case: `.gz` or `.zst`. `None` for
    /// every other extension.
    pub fn from_path(path: impl AsRef<Path>) -> Self {
        let extension = path.as_ref().extension().and_then(|it| it.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The name for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl FromStr for Compression {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        match name {
            "none" => Ok(Self::None),
            "gzip" | "gz" => Ok(Self::Gzip),
            "zstd" | "zst" => Ok(Self::Zstd),
            _ => Err(FormatError::UnknownCompression { name: name.to_owned() }),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magic {
    Packed(Compression),
    Columnar(Format),
    Utf16,
}

const MAGICS: &[(&[u8], Magic)] = &[
    (b"\x1f\x8b", Magic::Packed(Compression::Gzip)),
    (b"\x28\xb5\x2f\xfd", Magic::Packed(Compression::Zstd)),
    (b"PAR1", Magic::Columnar(Format::Parquet)),
    (b"ARROW1", Magic::Columnar(Format::Arrow)),
    (b"\xff\xff\xff\xff", Magic::Columnar(Format::Arrows)),
    (b"\xff\xfe", Magic::Utf16),
    (b"\xfe\xff", Magic::Utf16),
];

impl Magic {
    /// The kind of data that begins with these bytes; `None` for data that may be text.
    pub(crate) fn of(data: &[u8]) -> Option<Self> {
        MAGICS.iter().find(|(magic, _)| data.starts_with(magic)).map(|(_, found)| *found)
    }

    /// Whether more bytes are needed to decide.
    fn is_open(data: &[u8]) -> bool {
        MAGICS.iter().any(|(magic, _)| data.len() < magic.len() && magic.starts_with(data))
    }

    /// Reads the beginning of `stream`, with as few reads as possible: a pipe may have only a few
    /// bytes for a while.
    pub(crate) fn peek(stream: &mut (impl Read + ?Sized)) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        while Self::is_open(&data) {
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(bytes) => data.extend_from_slice(&chunk[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(data)
    }

    /// The message for data that was expected to be text.
    pub(crate) fn problem(self) -> String {
        match self {
            Self::Packed(compression) => {
                let name = compression.name();
                format!("it is {name} data; use --compression {name}, or leave it out")
            }
            Self::Columnar(format) => {
                format!("it is {format} data; use --input-format {format}, or leave it out")
            }
            Self::Utf16 => {
                "it is UTF-16; convert it, for example with iconv -f UTF-16 -t UTF-8".to_owned()
            }
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
        insta::assert_snapshot!(Format::from_path("rows.parquet.gz").unwrap_err(), @"rows.parquet.gz: parquet compresses its data itself; leave out gzip");
        insta::assert_snapshot!("xml".parse::<Format>().unwrap_err(), @r#"unknown format "xml"; use ndjson, csv, parquet, arrow or arrows"#);
    }

    #[test]
    fn only_the_bytes_that_decide_the_kind_are_read() {
        for (data, peeked, found) in [
            ("{}\n", 1, None),
            ("PAR2", 4, None),
            ("PAR1....", 4, Some(Magic::Columnar(Format::Parquet))),
            ("", 0, None),
        ] {
            let mut bytes = data.bytes();
            let read = Magic::peek(&mut ByByte(&mut bytes)).unwrap();
            assert_eq!((read.len(), Magic::of(&read)), (peeked, found), "{data:?}");
        }
    }

    struct ByByte<'a>(&'a mut std::str::Bytes<'static>);

    impl Read for ByByte<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(byte) = self.0.next() else { return Ok(0) };
            buffer[0] = byte;
            Ok(1)
        }
    }
}
