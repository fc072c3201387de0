//! The delimiter between two cells of a CSV row.

use std::fmt;
use std::str::FromStr;

/// One ASCII byte that is neither a quote nor a line end. Default: the comma.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiter(u8);

impl Delimiter {
    /// The delimiters that are common in practice.
    pub(crate) const USUAL: [Self; 4] = [Self(b','), Self(b';'), Self(b'\t'), Self(b'|')];

    /// The delimiter, if the byte can be one.
    pub fn new(byte: u8) -> Option<Self> {
        (byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n')).then_some(Self(byte))
    }

    /// The byte.
    pub fn byte(self) -> u8 {
        self.0
    }

    /// The delimiter with its article, for a message.
    pub(crate) fn article(self) -> String {
        match self.0 {
            b',' => "a comma".to_owned(),
            b';' => "a semicolon".to_owned(),
            b'\t' => "a tab".to_owned(),
            b' ' => "a space".to_owned(),
            _ => format!("a {self}"),
        }
    }
}

impl Default for Delimiter {
    fn default() -> Self {
        Self(b',')
    }
}

/// Spelled as a shell accepts it after `--delimiter`.
impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            b'\'' => f.write_str("\"'\""),
            byte if byte.is_ascii_control() => write!(f, "$'\\x{byte:02x}'"),
            byte => write!(f, "'{}'", char::from(byte)),
        }
    }
}

impl FromStr for Delimiter {
    type Err = BadDelimiter;

    /// One byte, or `tab` or `\t`.
    fn from_str(text: &str) -> Result<Self, BadDelimiter> {
        let byte = match text {
            "tab" | "\\t" => Some(b'\t'),
            _ => <[u8; 1]>::try_from(text.as_bytes()).ok().map(|[byte]| byte),
        };
        byte.and_then(Self::new).ok_or_else(|| BadDelimiter { text: text.to_owned() })
    }
}

/// A text that is not a delimiter.
#[derive(Debug, thiserror::Error)]
#[error("bad delimiter {text:?}; use one ASCII character other than a quote or a line end, or tab")]
#[non_exhaustive]
pub struct BadDelimiter {
    /// The text as it was given.
    pub text: String,
}

/// The delimiter that a header seems to use instead of the one with which the file is read, if
/// there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikelyDelimiter(pub(crate) Option<Delimiter>);

impl LikelyDelimiter {
    /// The delimiter.
    pub fn delimiter(self) -> Option<Delimiter> {
        self.0
    }

    /// The advice to use that delimiter, or `otherwise` if there is none.
    pub(crate) fn or(self, otherwise: &str) -> String {
        match self.0 {
            Some(found) => format!(
                "{} seems to separate the columns: use --delimiter {found}",
                found.article()
            ),
            None => otherwise.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_byte_or_the_name_of_the_tab() {
        let byte = |text: &str| text.parse().map(Delimiter::byte).ok();
        assert_eq!([byte(","), byte("|"), byte("\u{1}")], [Some(b','), Some(b'|'), Some(1)]);
        assert_eq!([byte("tab"), byte("\\t"), byte("\t")], [Some(b'\t'); 3]);
        for bad in ["", "\"", "\n", "\r", ";;", "§"] {
            assert_eq!(byte(bad), None, "{bad:?}");
        }
        insta::assert_snapshot!("::".parse::<Delimiter>().unwrap_err(), @r#"bad delimiter "::"; use one ASCII character other than a quote or a line end, or tab"#);
    }
}
