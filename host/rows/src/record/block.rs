//! The cells of some rows in one text, with the place where each ends.

/// Cells as they are read, not yet known to be UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Block {
    text: Vec<u8>,
    ends: Vec<u32>,
    lines: Vec<u64>,
}

impl Block {
    /// Room for some bytes and rows.
    pub(crate) fn with_capacity((bytes, rows): (usize, usize), columns: usize) -> Self {
        Self {
            text: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(rows * columns),
            lines: Vec::with_capacity(rows),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Appends a row: the text of its cells, and the end of each in it.
    pub(crate) fn push(&mut self, line: u64, text: &[u8], ends: &[usize]) {
        let base = self.text.len();
        self.text.extend_from_slice(text);
        self.ends.extend(ends.iter().map(|end| (base + end) as u32)); // a batch and a row are under 2 GiB
        self.lines.push(line);
    }

    /// The cells, each of them UTF-8; else the line of the first row with one that is not.
    pub(crate) fn checked(self, columns: usize) -> Result<Cells, u64> {
        let Self { text, ends, lines } = self;
        match String::from_utf8(text) {
            Ok(text)
                if text.is_ascii()
                    || ends.iter().all(|end| text.is_char_boundary(*end as usize)) =>
            {
                Ok(Cells { text, ends, lines, columns })
            }
            Ok(text) => Err(bad_line(text.as_bytes(), &ends, &lines, columns)),
            Err(error) => Err(bad_line(error.as_bytes(), &ends, &lines, columns)),
        }
    }
}

fn bad_line(text: &[u8], ends: &[u32], lines: &[u64], columns: usize) -> u64 {
    let mut start = 0;
    let bad = ends.iter().position(|end| {
        let cell = &text[start..*end as usize];
        start = *end as usize;
        str::from_utf8(cell).is_err()
    });
    lines[bad.unwrap_or(0) / columns]
}

/// Rows of cells, all of one width.
#[derive(Debug)]
pub(crate) struct Cells {
    text: String,
    ends: Vec<u32>,
    lines: Vec<u64>,
    columns: usize,
}

impl Cells {
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
        let start = if cell == 0 { 0 } else { self.ends[cell - 1] };
        &self.text[start as usize..self.ends[cell] as usize]
    }
}
