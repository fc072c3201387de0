//! Texts, bytes and lists, which a column of the contract has as one piece of memory with ends.

use crate::bindings::beamlet::enrichment::types::{
    Blobs, BooleanLists, Float32Lists, Float64Lists, Int64Lists, StringLists, Texts,
};
use arrow_buffer::OffsetBuffer;

/// The ends as Arrow's offsets over a number of elements; the error says what is wrong with them.
pub(super) fn offsets(
    ends: Vec<u32>,
    elements: usize,
    of: &str,
) -> Result<OffsetBuffer<i32>, String> {
    let ascend = ends.windows(2).all(|pair| pair[0] <= pair[1]);
    let fits = elements <= i32::MAX as usize;
    if !ascend || !fits || ends.last().map_or(0, |last| *last as usize) != elements {
        return Err(format!("the ends of its {of} do not ascend to their length"));
    }
    let offsets = std::iter::once(0).chain(ends.into_iter().map(|end| end as i32));
    Ok(OffsetBuffer::new(offsets.collect::<Vec<i32>>().into()))
}

/// The pieces between the ends; `None` where the ends do not ascend to the length.
pub fn pieces<'e, T>(elements: &'e [T], ends: &[u32]) -> Option<Vec<&'e [T]>> {
    let mut start = 0;
    let mut pieces = Vec::with_capacity(ends.len());
    for end in ends {
        pieces.push(elements.get(start..*end as usize)?);
        start = *end as usize;
    }
    (start == elements.len()).then_some(pieces)
}

/// The same for texts.
pub fn texts(texts: &Texts) -> Option<Vec<&str>> {
    let mut start = 0;
    let mut pieces = Vec::with_capacity(texts.ends.len());
    for end in &texts.ends {
        pieces.push(texts.text.get(start..*end as usize)?);
        start = *end as usize;
    }
    (start == texts.text.len()).then_some(pieces)
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut all = Texts { text: String::new(), ends: Vec::new() };
        for text in texts {
            all.text.push_str(text.as_ref());
            all.ends.push(all.text.len() as u32);
        }
        all
    }
}

macro_rules! collected {
    ($($lists:ident { $elements:ident: $element:ty }),*) => {$(
        impl<L: AsRef<[$element]>> FromIterator<L> for $lists {
            fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
                let mut all = $lists { $elements: Vec::new(), ends: Vec::new() };
                for list in lists {
                    all.$elements.extend_from_slice(list.as_ref());
                    all.ends.push(all.$elements.len() as u32);
                }
                all
            }
        }
    )*};
}

collected!(
    Blobs { bytes: u8 },
    BooleanLists { elements: bool },
    Int64Lists { elements: i64 },
    Float32Lists { elements: f32 },
    Float64Lists { elements: f64 }
);

impl<L: IntoIterator<Item: AsRef<str>>> FromIterator<L> for StringLists {
    fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
        let (mut texts, mut ends) = (Vec::new(), Vec::new());
        for list in lists {
            texts.extend(list.into_iter().map(|text| text.as_ref().to_owned()));
            ends.push(texts.len() as u32);
        }
        StringLists { elements: texts.into_iter().collect(), ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_where_their_ends_ascend_to_the_end() {
        assert_eq!(pieces(&[1, 2, 3], &[0, 2, 3]), Some(vec![&[][..], &[1, 2], &[3]]));
        for ends in [&[2, 1][..], &[1], &[4], &[]] {
            assert_eq!(pieces(&[1, 2, 3], ends), None, "{ends:?}");
        }
    }

    #[test]
    fn texts_are_whole_when_their_ends_ascend_over_characters_to_the_end() {
        let of = |text: &str, ends: &[u32]| {
            texts(&Texts { text: text.to_owned(), ends: ends.to_vec() }).is_some()
        };
        assert!(of("aü", &[0, 1, 3]) && of("", &[]) && of("", &[0, 0]));
        assert!(!of("aü", &[1, 2, 3]) && !of("ab", &[2, 1]) && !of("ab", &[1]) && !of("a", &[2]));
    }
}
