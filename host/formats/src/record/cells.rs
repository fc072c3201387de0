//! The cells of many rows in one text, with the position where each one ends.

/// The position of a cell in the text of its record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) start: usize,
    /// Excludes the closing quote.
    pub(crate) end: usize,
    /// Whether it contains doubled quotes.
    pub(crate) doubled: bool,
}

impl Cell {
    /// A cell without quotes.
    pub(crate) fn unquoted(start: usize, end: usize) -> Self {
        Self { start, end, doubled: false }
    }

    /// Appends the cell's value to `out`.
    #[inline]
    pub(crate) fn value(self, record: &str, out: &mut String) {
        let text = &record[self.start..self.end];
        if self.doubled {
            for (position, piece) in text.split("\"\"").enumerate() {
                if position > 0 {
                    out.push('"');
                }
                out.push_str(piece);
            }
        } else {
            out.push_str(text);
        }
    }
}

/// Rows of cells, all with the same number of columns.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// The values, each followed by one byte, so that records without quotes can be copied as they
    /// are.
    text: String,
    /// The end of each value.
    ends: Vec<u32>,
    lines: Vec<u64>,
    columns: usize,
}

impl Cells {
    /// Allocates space for a number of bytes and rows.
    pub(crate) fn with_capacity((bytes, rows): (usize, usize), columns: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(rows * columns),
            lines: Vec::with_capacity(rows),
            columns,
        }
    }

    /// Appends a row, which has as many cells as there are columns.
    pub(crate) fn push(&mut self, line: u64, record: &str, cells: &[Cell], has_quotes: bool) {
        debug_assert_eq!(cells.len(), self.columns);
        // A batch and a row are under 2 GiB.
        if has_quotes {
            for cell in cells {
                cell.value(record, &mut self.text);
                self.ends.push(self.text.len() as u32);
                self.text.push('\n');
            }
        } else {
            let base = self.text.len();
            self.text.push_str(record);
            self.text.push('\n');
            self.ends.extend(cells.iter().map(|cell| (base + cell.end) as u32));
        }
        self.lines.push(line);
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    pub(crate) fn get(&self, row: usize, column: usize) -> &str {
        let cell = row * self.columns + column;
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] + 1 };
        &self.text[start as usize..self.ends[cell] as usize]
    }
}
