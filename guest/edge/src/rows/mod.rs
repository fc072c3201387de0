//! Cuts a body into rows while it arrives. Bytes go in as they are received, and the text of each
//! row comes out as soon as its end has been seen.
//!
//! Only the array around the rows is parsed here. [`Row::read`](beamlet_guest::json::Row::read)
//! decides whether a row is JSON.

use std::ops::Range;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON array of objects.
    Array,
    /// An object a line: NDJSON.
    Lines,
}

impl Form {
    /// The form that a `content-type` names; none where it is another, or in another encoding than
    /// UTF-8.
    pub fn of(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let form = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" => Form::Array,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Form::Lines,
            _ => return None,
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim_matches('"');
            if name.eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
                return None;
            }
        }
        Some(form)
    }

    /// The `content-type` of rows in this form.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Array => "application/json",
            Form::Lines => "application/x-ndjson",
        }
    }
}

/// The longest row that is accepted, in bytes.
pub const MAX_ROW_BYTES: usize = 1 << 20;

/// A body that cannot be cut into rows any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It does not begin as a JSON array.
    #[error("the body is not a JSON array of objects: it begins with {0}")]
    NoArray(String),
    /// It is empty.
    #[error("the body is empty, where a JSON array of objects should be")]
    Empty,
    /// A row is missing between two commas or brackets: its number.
    #[error("the body is not JSON: there is nothing where row {0} should be")]
    NoRow(usize),
    /// The body ends before the array does: the number of the row that is not whole.
    #[error(
        "the body breaks off: the array does not end behind its rows, and row {0} is not whole"
    )]
    BreaksOff(usize),
    /// More text follows the array.
    #[error("the body is not JSON: more text follows the end of the array")]
    More,
    /// A row is longer than [`MAX_ROW_BYTES`]: its number.
    #[error("row {0} is longer than {limit} bytes, the longest row that is accepted", limit = MAX_ROW_BYTES)]
    TooLong(usize),
}

/// Rows of a body, from the first that has not been taken out.
#[derive(Clone)]
pub struct Rows {
    form: Form,
    /// The bytes received, from the first row that has not been taken out.
    bytes: Vec<u8>,
    /// Where the complete rows are in `bytes`.
    rows: Vec<Range<usize>>,
    /// Rows taken out before.
    before: usize,
    expected: Expected,
    /// How many of the bytes have been parsed.
    seen: usize,
    ended: bool,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The beginning of the array.
    Array,
    /// A row, or the array's end.
    First,
    /// A row.
    Next,
    /// More of a row.
    Row(Place),
    /// White space only.
    End,
}

/// A position inside of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Where the row starts.
    start: usize,
    /// Brackets that are open.
    depth: usize,
    /// Whether it is inside of a string, and there behind a backslash.
    text: bool,
    escaped: bool,
}

impl Rows {
    /// Rows of a body in this form.
    pub fn new(form: Form) -> Self {
        let expected = match form {
            Form::Array => Expected::Array,
            Form::Lines => Expected::Next,
        };
        let (bytes, rows) = (Vec::new(), Vec::new());
        Rows { form, bytes, rows, before: 0, expected, seen: 0, ended: false }
    }

    /// Appends bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Ends the body.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether the body has come to its end, and all rows are cut.
    pub fn is_done(&self) -> bool {
        self.ended && self.seen == self.bytes.len()
    }

    /// How many bytes are buffered.
    pub fn pending_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The rows that are complete and have not been taken out.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.iter().map(|row| &self.bytes[row.clone()])
    }

    /// The number of the first of them: how many were taken out before.
    pub fn first(&self) -> usize {
        self.before
    }

    /// Takes the rows out.
    pub fn clear(&mut self) {
        let kept = match self.expected {
            Expected::Row(place) => place.start,
            _ => self.seen,
        };
        self.bytes.drain(..kept);
        self.seen -= kept;
        if let Expected::Row(place) = &mut self.expected {
            place.start = 0;
        }
        self.before += self.rows.len();
        self.rows.clear();
    }

    /// Cuts the bytes received until there are `most` rows.
    ///
    /// # Errors
    /// The body cannot be cut. The rows before the error stay.
    pub fn cut(&mut self, most: usize) -> Result<(), Broken> {
        match self.form {
            Form::Array => self.cut_array(most),
            Form::Lines => self.cut_lines(most),
        }
    }

    /// The number of the next row.
    fn next(&self) -> usize {
        self.before + self.rows.len()
    }

    fn cut_lines(&mut self, most: usize) -> Result<(), Broken> {
        while self.rows.len() < most {
            let start = match self.expected {
                Expected::Row(place) => place.start,
                _ => self.seen,
            };
            let found = self.bytes[self.seen..].iter().position(|byte| *byte == b'\n');
            let (end, next) = match found {
                Some(at) => (self.seen + at, self.seen + at + 1),
                None if self.ended && start < self.bytes.len() => {
                    (self.bytes.len(), self.bytes.len())
                }
                None => {
                    self.seen = self.bytes.len();
                    if start < self.seen {
                        self.expected = Expected::Row(Place::at(start));
                    }
                    return self.not_too_long(self.seen - start);
                }
            };
            self.not_too_long(end - start)?;
            if !self.bytes[start..end].trim_ascii().is_empty() {
                self.rows.push(start..end);
            }
            (self.seen, self.expected) = (next, Expected::Next);
        }
        Ok(())
    }

    fn cut_array(&mut self, most: usize) -> Result<(), Broken> {
        while self.rows.len() < most && self.seen < self.bytes.len() {
            let byte = self.bytes[self.seen];
            match self.expected {
                Expected::Row(place) => {
                    self.row(place, byte)?;
                    continue;
                }
                _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
                Expected::Array if byte == b'[' => self.expected = Expected::First,
                Expected::Array => return Err(Broken::NoArray(self.begin())),
                Expected::First if byte == b']' => self.expected = Expected::End,
                Expected::First | Expected::Next if matches!(byte, b',' | b']') => {
                    return Err(Broken::NoRow(self.next()));
                }
                Expected::First | Expected::Next => {
                    self.expected = Expected::Row(Place::at(self.seen));
                    continue;
                }
                Expected::End => return Err(Broken::More),
            }
            self.seen += 1;
        }
        match self.expected {
            _ if !self.ended || self.seen < self.bytes.len() => Ok(()),
            Expected::End => Ok(()),
            Expected::Array => Err(Broken::Empty),
            _ => Err(Broken::BreaksOff(self.next())),
        }
    }

    /// Goes on in a row, to its end or that of the bytes.
    fn row(&mut self, mut place: Place, mut byte: u8) -> Result<(), Broken> {
        loop {
            match byte {
                _ if place.escaped => place.escaped = false,
                b'\\' if place.text => place.escaped = true,
                b'"' => place.text = !place.text,
                _ if place.text => {}
                b'{' | b'[' => place.depth += 1,
                b',' | b']' if place.depth == 0 => {
                    self.not_too_long(self.seen - place.start)?;
                    self.rows.push(place.start..self.seen);
                    self.expected = if byte == b',' { Expected::Next } else { Expected::End };
                    self.seen += 1;
                    return Ok(());
                }
                b'}' | b']' => place.depth = place.depth.saturating_sub(1),
                _ => {}
            }
            self.seen += 1;
            match self.bytes.get(self.seen) {
                Some(next) => byte = *next,
                None => {
                    self.expected = Expected::Row(place);
                    return self.not_too_long(self.seen - place.start);
                }
            }
        }
    }

    fn not_too_long(&self, length: usize) -> Result<(), Broken> {
        if length > MAX_ROW_BYTES { Err(Broken::TooLong(self.next())) } else { Ok(()) }
    }

    /// What the body begins with, for a message. It never shows a value of the body.
    fn begin(&self) -> String {
        match self.bytes[self.seen] {
            b'{' => "an object; send [ before it and ] behind it, or an object a line as \
                 application/x-ndjson"
                .to_owned(),
            b'"' => "a text".to_owned(),
            b'-' | b'0'..=b'9' => "a number".to_owned(),
            0xef => "a byte order mark; leave it out".to_owned(),
            _ => "something that is not JSON".to_owned(),
        }
    }
}

impl Place {
    fn at(start: usize) -> Self {
        Place { start, depth: 0, text: false, escaped: false }
    }
}

#[cfg(test)]
mod tests;
