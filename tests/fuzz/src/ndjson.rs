//! NDJSON against `serde_json`.

use super::{LIMIT, read, written};
use beamlet_formats::{Format, ReadOptions, Rows};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Lines come out as they are where all of them are JSON objects, and as an error otherwise; with
/// bad rows set aside, each line is in one of both.
pub fn ndjson(data: &[u8]) {
    let options = ReadOptions { max_row_bytes: LIMIT, ..ReadOptions::default() };
    let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let lines = text.split(|byte| *byte == b'\n').map(trim_end);
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    let rows = read(data, Format::Ndjson, options.clone());
    let out = rows.and_then(|rows| written(&rows, Format::Ndjson, false));
    match out {
        Ok(out) => {
            assert!(lines.iter().all(|line| is_object(line)), "each line is an object");
            let expected: Vec<u8> =
                lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
            assert_eq!(out, expected, "each line is as it was");
        }
        Err(error) => {
            let is_packed = error.to_string().contains("cannot be read");
            let is_long = text.split(|byte| *byte == b'\n').any(|line| line.len() > LIMIT);
            assert!(is_packed || is_long || lines.iter().any(|line| !is_object(line)), "{error}");
        }
    }
    let options = ReadOptions { set_aside: true, ..options };
    let Ok(rows) = read(data, Format::Ndjson, options) else { return };
    let read: usize = rows.iter().map(Rows::len).sum();
    let aside: usize = rows.iter().map(|rows| rows.set_aside().len()).sum();
    assert!(read + aside >= lines.len(), "{read} + {aside} of {}", lines.len());
    for format in [Format::Csv, Format::Parquet] {
        written(&rows, format, true).unwrap();
    }
}

fn trim_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t' | b'\r'] = line {
        line = rest;
    }
    line
}

fn is_object(line: &[u8]) -> bool {
    serde_json::from_slice::<HashMap<String, Box<RawValue>>>(line).is_ok()
}
