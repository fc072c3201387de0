//! Texts of a column, one behind the other, as if they were a list.

use crate::bindings::beamlet::enrichment::types::Texts;

impl Texts {
    /// No text.
    pub const fn new() -> Self {
        Texts { text: String::new(), ends: Vec::new() }
    }

    /// No text, with room for some of so many bytes in all.
    pub fn with_capacity(texts: usize, bytes: usize) -> Self {
        Texts { text: String::with_capacity(bytes), ends: Vec::with_capacity(texts) }
    }

    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.end();
    }

    /// Ends a text that was written to [`text`](Texts::text) directly.
    pub fn end(&mut self) {
        self.ends.push(self.text.len() as u32);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at a position; empty where the ends are not what the contract promises.
    pub fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..self.ends[at] as usize).unwrap_or_default()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = self.text.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            text
        })
    }

    /// Grows with empty texts, or shrinks.
    pub(crate) fn resize(&mut self, len: usize) {
        let kept = self.ends.get(..len).unwrap_or(&self.ends);
        let end = kept.last().copied().unwrap_or(0);
        self.ends.resize(len, end);
        self.text.truncate(end as usize);
    }

    /// Makes room for so many more, each as long as those that are there, and for so many bytes
    /// at most: the next ones may well be shorter.
    pub(crate) fn reserve(&mut self, texts: usize) {
        const MOST: usize = 64 << 10;
        let each = self.text.len().div_ceil(self.len().max(1));
        self.text.reserve(each.saturating_mul(texts).min(MOST));
        self.ends.reserve(texts);
    }

    /// Adds all of another's.
    pub(crate) fn append(&mut self, other: &Texts) {
        let start = self.text.len() as u32;
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| end + start));
    }
}

/// No text.
impl Default for Texts {
    fn default() -> Self {
        Texts::new()
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = Texts::new();
        texts.into_iter().for_each(|text| all.push(text.as_ref()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn texts_come_out_as_they_went_in() {
        let texts: Texts = ["a", "", "\u{fc}\u{fc}", "end"].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "", "\u{fc}\u{fc}", "end"]);
        assert_eq!((texts.get(0), texts.get(2), texts.len()), ("a", "\u{fc}\u{fc}", 4));
    }

    #[test]
    fn appending_and_resizing_keep_the_rest() {
        let mut texts: Texts = ["a", "bc"].into_iter().collect();
        texts.append(&["d", ""].into_iter().collect());
        texts.resize(6);
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "bc", "d", "", "", ""]);
        texts.resize(1);
        assert_eq!((texts.text.as_str(), texts.len()), ("a", 1));
        texts.resize(0);
        texts.resize(2);
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["", ""]);
    }
}
