//! The edge's splitter of bodies, against `serde_json` and against itself.

use beamlet_edge::rows::{Broken, Form, Rows};
use serde_json::value::RawValue;

/// A body is cut into the same rows wherever its pieces were cut; what `serde_json` takes for an
/// array is cut into its elements; and what is cut into elements of JSON is such an array.
pub fn edge_body(data: &[u8]) {
    for form in [Form::Array, Form::Lines] {
        let whole = cut(form, data, data.len().max(1), usize::MAX);
        for (piece, most) in [(1, 1), (1, 3), (7, 2), (64, usize::MAX)] {
            assert_eq!(whole, cut(form, data, piece, most), "{form:?} in pieces of {piece}");
        }
        let (rows, broken) = whole;
        match form {
            Form::Array => array(data, &rows, broken.as_ref()),
            Form::Lines => {
                let lines = data.split(|byte| *byte == b'\n');
                let lines = lines.filter(|line| !line.trim_ascii().is_empty());
                assert!(lines.eq(rows.iter().map(Vec::as_slice)), "each line is a row");
                assert_eq!(broken, None);
            }
        }
    }
}

fn array(data: &[u8], rows: &[Vec<u8>], broken: Option<&Broken>) {
    let elements = serde_json::from_slice::<Vec<&RawValue>>(data);
    if let Ok(elements) = &elements {
        assert_eq!(broken, None, "it is an array");
        let rows = rows.iter().map(|row| row.trim_ascii());
        assert!(rows.eq(elements.iter().map(|element| element.get().as_bytes())));
    } else if broken.is_none() {
        let is_json = |row: &Vec<u8>| serde_json::from_slice::<&RawValue>(row).is_ok();
        assert!(!rows.iter().all(is_json), "each row is JSON, and the whole is not");
    }
}

/// The rows of a body that comes in pieces, at most so many at a time, and what is wrong with it.
fn cut(form: Form, data: &[u8], piece: usize, most: usize) -> (Vec<Vec<u8>>, Option<Broken>) {
    let mut rows = Rows::new(form);
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut pieces = data.chunks(piece);
    loop {
        let cut = rows.cut(most);
        assert_eq!(rows.first(), all.len());
        all.extend(rows.rows().map(<[u8]>::to_vec));
        let found = rows.rows().len();
        rows.clear();
        if let Err(broken) = cut {
            return (all, Some(broken));
        }
        if found > 0 {
            continue;
        }
        match pieces.next() {
            Some(piece) => rows.push(piece),
            None if rows.is_done() => return (all, None),
            None => rows.end(),
        }
    }
}
