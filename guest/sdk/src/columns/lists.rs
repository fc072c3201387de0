//! The values of a column that have a length: texts, bytes and lists, stored one behind the other
//! with the position at which each ends.

use crate::bindings::beamlet::enrichment::types::{
    Blobs, BooleanLists, Float32Lists, Float64Lists, Int64Lists, StringLists, Texts,
};

impl Texts {
    /// No text.
    pub const fn new() -> Self {
        Texts { text: String::new(), ends: Vec::new() }
    }

    /// No text, with room for so many texts and bytes.
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

    /// The text at a position; empty where the ends are not what the contract requires.
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

    /// Appends empty texts, or removes texts, up to this length.
    pub(crate) fn resize(&mut self, len: usize) {
        let kept = self.ends.get(..len).unwrap_or(&self.ends);
        let end = kept.last().copied().unwrap_or(0);
        self.ends.resize(len, end);
        self.text.truncate(end as usize);
    }

    /// Makes room for so many more texts, each of the average length so far, and for a limited number
    /// of bytes, as the next texts may be shorter.
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

/// The methods of a record of elements and ends.
macro_rules! flat {
    ($($lists:ident { $elements:ident: $element:ty }),*) => {$(
        impl $lists {

            /// Adds a list.
            pub fn push(&mut self, list: &[$element]) {
                self.$elements.extend_from_slice(list);
                self.end();
            }

            /// Ends a list whose elements were added directly.
            pub fn end(&mut self) {
                self.ends.push(self.$elements.len() as u32);
            }

            /// The list at a position; empty where the ends are not what the contract promises.
            pub fn get(&self, at: usize) -> &[$element] {
                let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
                self.$elements.get(start as usize..self.ends[at] as usize).unwrap_or_default()
            }

            /// All of them, in order.
            pub fn iter(&self) -> impl Iterator<Item = &[$element]> {
                (0..self.ends.len()).map(|at| self.get(at))
            }

            /// Appends empty lists, or removes lists, up to this length.
            pub(crate) fn resize(&mut self, len: usize) {
                let elements = resized(&mut self.ends, len);
                self.$elements.truncate(elements);
            }

            /// Appends the lists of another.
            pub(crate) fn append(&mut self, mut from: Self) {
                append_ends(&mut self.ends, self.$elements.len(), &from.ends);
                self.$elements.append(&mut from.$elements);
            }
        }

        /// No list.
        impl Default for $lists {
            fn default() -> Self {
                $lists { $elements: Vec::new(), ends: Vec::new() }
            }
        }

        impl<L: AsRef<[$element]>> FromIterator<L> for $lists {
            fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
                let mut all = $lists::default();
                lists.into_iter().for_each(|list| all.push(list.as_ref()));
                all
            }
        }
    )*};
}

flat!(
    Blobs { bytes: u8 },
    BooleanLists { elements: bool },
    Int64Lists { elements: i64 },
    Float32Lists { elements: f32 },
    Float64Lists { elements: f64 }
);

/// The methods that need no elements.
macro_rules! counted {
    ($($lists:ident),*) => {$(
        impl $lists {
            /// How many there are.
            pub fn len(&self) -> usize {
                self.ends.len()
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.ends.is_empty()
            }

            /// Makes room for so many more.
            pub(crate) fn reserve(&mut self, lists: usize) {
                self.ends.reserve(lists);
            }
        }
    )*};
}

counted!(Blobs, BooleanLists, Int64Lists, Float32Lists, Float64Lists, StringLists);

impl StringLists {
    /// Adds a list.
    pub fn push(&mut self, list: impl IntoIterator<Item: AsRef<str>>) {
        list.into_iter().for_each(|text| self.elements.push(text.as_ref()));
        self.end();
    }

    /// Ends a list whose elements were added directly.
    pub fn end(&mut self) {
        self.ends.push(self.elements.len() as u32);
    }

    /// The list at a position; empty where the ends are not what the contract promises.
    pub fn get(&self, at: usize) -> Vec<&str> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        let end = (self.ends[at] as usize).min(self.elements.len());
        (start..end).map(|at| self.elements.get(at)).collect()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Vec<&str>> {
        (0..self.ends.len()).map(|at| self.get(at))
    }

    /// Appends empty lists, or removes lists, up to this length.
    pub(crate) fn resize(&mut self, len: usize) {
        let elements = resized(&mut self.ends, len);
        self.elements.resize(elements);
    }

    /// Appends the lists of another.
    pub(crate) fn append(&mut self, from: Self) {
        append_ends(&mut self.ends, self.elements.len(), &from.ends);
        self.elements.append(&from.elements);
    }
}

/// No list.
impl Default for StringLists {
    fn default() -> Self {
        StringLists { elements: Texts::new(), ends: Vec::new() }
    }
}

impl<L: IntoIterator<Item: AsRef<str>>> FromIterator<L> for StringLists {
    fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
        let mut all = StringLists::default();
        lists.into_iter().for_each(|list| all.push(list));
        all
    }
}

/// Ends for so many lists, and how many elements these have.
fn resized(ends: &mut Vec<u32>, len: usize) -> usize {
    let kept = ends.get(..len).unwrap_or(ends);
    let end = kept.last().copied().unwrap_or(0);
    ends.resize(len, end);
    end as usize
}

fn append_ends(to: &mut Vec<u32>, elements: usize, ends: &[u32]) {
    to.extend(ends.iter().map(|end| end + elements as u32));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_what_went_in_and_grow_with_empty_ones() {
        let mut lists: Int64Lists = [vec![1, 2], vec![], vec![3]].into_iter().collect();
        assert_eq!(
            (lists.elements.as_slice(), lists.ends.as_slice()),
            (&[1, 2, 3][..], &[2, 2, 3][..])
        );
        lists.resize(4);
        lists.append([[4]].into_iter().collect());
        assert_eq!(lists.iter().collect::<Vec<_>>(), [&[1, 2][..], &[], &[3], &[], &[4]]);
        lists.resize(1);
        assert_eq!((lists.get(0), lists.elements.len()), (&[1, 2][..], 2));
    }

    #[test]
    fn lists_of_texts_are_what_went_in_and_grow_with_empty_ones() {
        let mut lists: StringLists = [vec!["a", ""], vec![], vec!["b"]].into_iter().collect();
        lists.resize(4);
        lists.append([["c"]].into_iter().collect());
        let all: Vec<_> = lists.iter().collect();
        assert_eq!(all, [vec!["a", ""], vec![], vec!["b"], vec![], vec!["c"]]);
        lists.resize(1);
        assert_eq!((lists.len(), lists.elements.len()), (1, 2));
    }

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
