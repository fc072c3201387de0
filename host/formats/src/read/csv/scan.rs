//! Finds the cells of one CSV record, incrementally as its bytes arrive.

use crate::record::Cell;

/// The bytes that end a cell without quotes.
pub(super) struct Ends {
    delimiter: u8,
    is_end: [bool; 256],
}

impl Ends {
    pub(super) fn new(delimiter: u8) -> Self {
        let mut is_end = [false; 256];
        for byte in [delimiter, b'\n', b'\r'] {
            is_end[usize::from(byte)] = true;
        }
        Self { delimiter, is_end }
    }

    /// The length of the cell at the start of `data`, if its end is in `data`.
    #[inline]
    fn find(&self, data: &[u8]) -> Option<usize> {
        data.iter().position(|byte| self.is_end[usize::from(*byte)])
    }
}

/// The state of scanning one record. Offsets count from its first byte.
#[derive(Default)]
pub(super) struct Scan {
    state: State,
    /// The bytes before this offset are scanned.
    at: usize,
    /// Where the current cell begins.
    start: usize,
    /// Where the last quoted cell opens.
    quote: usize,
    has_quotes: bool,
    /// The current cell has a doubled quote.
    doubled: bool,
    fault: Option<Fault>,
}

#[derive(Default)]
enum State {
    /// At the first byte of a cell.
    #[default]
    Start,
    /// In a cell without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// After a quote that either closes the cell or is the first half of a doubled quote.
    Quote,
}

/// How far the scan got.
#[derive(PartialEq, Eq)]
pub(super) enum Step {
    /// To the record's line end, which is not scanned.
    Ended,
    /// To the end of the data.
    More,
}

/// Text after a closing quote.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    /// Where the cell opens.
    pub(super) quote: usize,
    /// Where the text begins.
    pub(super) text: usize,
}

impl Scan {
    /// Continues the scan in `data`, which holds the record from its first byte, and appends each
    /// cell.
    pub(super) fn run(&mut self, data: &[u8], ends: &Ends, cells: &mut Vec<Cell>) -> Step {
        loop {
            match self.state {
                State::Start => match data.get(self.at) {
                    None => return Step::More,
                    Some(b'"') => {
                        (self.quote, self.doubled, self.has_quotes) = (self.at, false, true);
                        self.at += 1;
                        self.state = State::Quoted;
                    }
                    Some(_) => {
                        self.start = self.at;
                        self.state = State::Bare;
                    }
                },
                // The fast path: nearly every row consists of cells without quotes.
                State::Bare => loop {
                    let Some(length) = ends.find(&data[self.at..]) else {
                        self.at = data.len();
                        return Step::More;
                    };
                    self.at += length;
                    cells.push(Cell::unquoted(self.start, self.at));
                    if data[self.at] != ends.delimiter {
                        return Step::Ended;
                    }
                    self.at += 1;
                    self.start = self.at;
                    if matches!(data.get(self.at), None | Some(b'"')) {
                        self.state = State::Start;
                        break;
                    }
                },
                State::Quoted => match memchr::memchr(b'"', &data[self.at..]) {
                    None => {
                        self.at = data.len();
                        return Step::More;
                    }
                    Some(length) => {
                        self.at += length + 1;
                        self.state = State::Quote;
                    }
                },
                State::Quote => match data.get(self.at) {
                    None => return Step::More,
                    Some(b'"') => {
                        self.doubled = true;
                        self.at += 1;
                        self.state = State::Quoted;
                    }
                    Some(byte) if *byte == ends.delimiter => {
                        cells.push(self.quoted());
                        self.at += 1;
                        self.state = State::Start;
                    }
                    Some(b'\n' | b'\r') => {
                        cells.push(self.quoted());
                        return Step::Ended;
                    }
                    Some(_) => {
                        self.fault.get_or_insert(Fault { quote: self.quote, text: self.at });
                        self.start = self.at;
                        self.state = State::Bare;
                    }
                },
            }
        }
    }

    /// Ends the record at the end of the input, and returns the position of a quote that is not
    /// closed.
    pub(super) fn end(&mut self, cells: &mut Vec<Cell>) -> Option<usize> {
        match self.state {
            State::Quoted => return Some(self.quote),
            State::Start => cells.push(Cell::unquoted(self.at, self.at)),
            State::Bare => cells.push(Cell::unquoted(self.start, self.at)),
            State::Quote => cells.push(self.quoted()),
        }
        None
    }

    /// The cell whose closing quote was the last byte.
    fn quoted(&self) -> Cell {
        // After `rebase`, the offsets of the cell are gone.
        Cell { start: self.quote + 1, end: self.at.saturating_sub(1), doubled: self.doubled }
    }

    /// Drops the scanned bytes: from now on, the data begins after them.
    pub(super) fn rebase(&mut self) {
        (self.at, self.start, self.quote) = (0, 0, 0);
    }

    /// The position where the last quoted cell opens; 0 also if its bytes were dropped.
    pub(super) fn quote(&self) -> usize {
        self.quote
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn has_quotes(&self) -> bool {
        self.has_quotes
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }
}
