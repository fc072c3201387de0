//! The cells of some rows in one text, with the place where each ends.

/// Where a cell stands in the text of its record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) start: usize,
    /// Without the quote that closes it.
    pub(crate) end: usize,
    /// It has quotes, each of them written twice.
    pub(crate) doubled: bool,
}

impl Cell {
    /// A cell without quotes.
    pub(crate) fn plain(start: usize, end: usize) -> Self {
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

/// Rows of cells, all of one width.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// The values, with one byte behind each: records without quotes are copied as they stand.
    text: String,
    /// Where each value ends.
    ends: Vec<u32>,
    lines: Vec<u64>,
    columns: usize,
}

impl Cells {
    /// Room for some bytes and rows.
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
