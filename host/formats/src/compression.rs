//! Compression around a text format.

mod decode;
mod encode;

use std::path::Path;
use std::str::FromStr;

use crate::RowsError;

pub(crate) use self::decode::{decoded, detected};
pub(crate) use self::encode::Encoder;

/// How the bytes of NDJSON or CSV are packed. Parquet and Arrow files are packed inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip, of one member or several one after the other, as `bgzip` and `cat` make them.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

impl Compression {
    /// What a path's extension says, in any case: `.gz`, `.zst`; none for every other one.
    pub fn from_path(path: impl AsRef<Path>) -> Self {
        let extension = path.as_ref().extension().and_then(|it| it.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::None,
        }
    }

    /// What it is called in a message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl FromStr for Compression {
    type Err = RowsError;

    fn from_str(name: &str) -> Result<Self, RowsError> {
        match name {
            "none" => Ok(Self::None),
            "gzip" | "gz" => Ok(Self::Gzip),
            "zstd" | "zst" => Ok(Self::Zstd),
            _ => Err(RowsError::UnknownCompression { name: name.to_owned() }),
        }
    }
}
