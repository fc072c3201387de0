//! A body becomes rows while it comes: pieces of bytes go in wherever they were cut, and the text
//! of each row comes out as soon as its end has been seen.
//!
//! Only the array around the rows is understood here. Whether a row is JSON is for who reads it.

use crate::media::Form;
use std::ops::Range;

/// The longest row that is taken, in bytes.
pub const MAX_ROW_BYTES: usize = 1 << 20;

/// A body that cannot be cut into rows any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is none of a JSON array.
    #[error("the body is no JSON array of objects: it begins with {0}")]
    NoArray(String),
    /// There is nothing in it.
    #[error("the body is empty, where a JSON array of objects should be")]
    Empty,
    /// There is no row where one has to be; its number.
    #[error("the body is not JSON: there is nothing where row {0} should be")]
    NoRow(usize),
    /// The array is not at its end, and the body is. The number of the row that should end or come.
    #[error(
        "the body breaks off: the array does not end behind its rows, and row {0} is not whole"
    )]
    BreaksOff(usize),
    /// There is something behind the array.
    #[error("the body is not JSON: there is more behind the end of the array")]
    More,
    /// A row is longer than is taken; its number.
    #[error("row {0} is longer than {limit} bytes, which is the most that is taken", limit = MAX_ROW_BYTES)]
    TooLong(usize),
}

/// Rows of a body, from the first that has not been taken out.
#[derive(Clone)]
pub struct Rows {
    form: Form,
    /// What has come, from the first row that has not been taken out.
    bytes: Vec<u8>,
    /// Where the whole rows are in it.
    rows: Vec<Range<usize>>,
    /// Rows taken out before.
    before: usize,
    state: State,
    /// How far the bytes have been looked at.
    seen: usize,
    ended: bool,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The array's begin.
    Begin,
    /// A row, or the array's end.
    First,
    /// A row.
    Next,
    /// More of a row.
    Row(Place),
    /// Nothing but white space.
    End,
}

/// A place inside of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Where the row starts.
    start: usize,
    /// Brackets that are open.
    depth: usize,
    /// Inside of a text, and there behind a backslash.
    text: bool,
    escaped: bool,
}

impl Rows {
    /// Rows of a body in this form.
    pub fn new(form: Form) -> Self {
        let state = match form {
            Form::Array => State::Begin,
            Form::Lines => State::Next,
        };
        let (bytes, rows) = (Vec::new(), Vec::new());
        Rows { form, bytes, rows, before: 0, state, seen: 0, ended: false }
    }

    /// Takes more of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Says that there is no more.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether the body has come to its end, and all rows are cut.
    pub fn is_done(&self) -> bool {
        self.ended && self.seen == self.bytes.len()
    }

    /// Bytes that are held.
    pub fn pending_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The rows that are cut and not taken out.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.iter().map(|row| &self.bytes[row.clone()])
    }

    /// The number of the first of them: how many were taken out before.
    pub fn first(&self) -> usize {
        self.before
    }

    /// Takes the rows out.
    pub fn clear(&mut self) {
        let kept = match self.state {
            State::Row(place) => place.start,
            _ => self.seen,
        };
        self.bytes.drain(..kept);
        self.seen -= kept;
        if let State::Row(place) = &mut self.state {
            place.start = 0;
        }
        self.before += self.rows.len();
        self.rows.clear();
    }

    /// Cuts what has come, until there are so many rows.
    ///
    /// # Errors
    /// The body cannot be cut; the rows before that are there.
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
            let start = match self.state {
                State::Row(place) => place.start,
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
                        self.state = State::Row(Place::at(start));
                    }
                    return self.not_too_long(self.seen - start);
                }
            };
            self.not_too_long(end - start)?;
            if !self.bytes[start..end].trim_ascii().is_empty() {
                self.rows.push(start..end);
            }
            (self.seen, self.state) = (next, State::Next);
        }
        Ok(())
    }

    fn cut_array(&mut self, most: usize) -> Result<(), Broken> {
        while self.rows.len() < most && self.seen < self.bytes.len() {
            let byte = self.bytes[self.seen];
            match self.state {
                State::Row(place) => {
                    self.row(place, byte)?;
                    continue;
                }
                _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
                State::Begin if byte == b'[' => self.state = State::First,
                State::Begin => return Err(Broken::NoArray(self.begin())),
                State::First if byte == b']' => self.state = State::End,
                State::First | State::Next if matches!(byte, b',' | b']') => {
                    return Err(Broken::NoRow(self.next()));
                }
                State::First | State::Next => {
                    self.state = State::Row(Place::at(self.seen));
                    continue;
                }
                State::End => return Err(Broken::More),
            }
            self.seen += 1;
        }
        match self.state {
            _ if !self.ended || self.seen < self.bytes.len() => Ok(()),
            State::End => Ok(()),
            State::Begin => Err(Broken::Empty),
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
                    self.state = if byte == b',' { State::Next } else { State::End };
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
                    self.state = State::Row(place);
                    return self.not_too_long(self.seen - place.start);
                }
            }
        }
    }

    fn not_too_long(&self, length: usize) -> Result<(), Broken> {
        if length > MAX_ROW_BYTES { Err(Broken::TooLong(self.next())) } else { Ok(()) }
    }

    /// What the body begins with, for a message: never a value of it.
    fn begin(&self) -> String {
        match self.bytes[self.seen] {
            b'{' => "an object; send [ before it and ] behind it, or an object a line as \
                 application/x-ndjson"
                .to_owned(),
            b'"' => "a text".to_owned(),
            b'-' | b'0'..=b'9' => "a number".to_owned(),
            0xef => "a byte order mark; leave it out".to_owned(),
            _ => "what is no JSON".to_owned(),
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
