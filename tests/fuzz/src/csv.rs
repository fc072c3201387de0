//! CSV against the `csv` crate, which accepts any text as CSV.

use super::{LIMIT, read, written};
use beamlet_formats::{Format, Original, ReadOptions, Rows, RowsError};

type Records = Vec<Vec<Vec<u8>>>;

/// What is read of `data` is what the `csv` crate reads; what is refused is at fault; and no byte of
/// a row that is set aside is lost.
pub fn csv(data: &[u8]) {
    let options = ReadOptions { max_row_bytes: LIMIT, ..ReadOptions::default() };
    match read(data, Format::Csv, options.clone()) {
        Ok(rows) => assert_eq!(records(&rows), meaningful(oracle(data)), "the records"),
        Err(error) => refused(&error, data),
    }
    let options = ReadOptions { set_aside: true, ..options };
    let Ok(rows) = read(data, Format::Csv, options) else { return };
    for row in rows.iter().flat_map(Rows::set_aside) {
        let bytes = original(&row.original);
        let found = data.windows(bytes.len().max(1)).any(|window| window == bytes);
        assert!(found || bytes.is_empty(), "a row that is set aside is as it stood");
    }
    for format in [Format::Ndjson, Format::Parquet] {
        written(&rows, format, true).unwrap();
    }
}

fn original(original: &Original) -> Vec<u8> {
    match original {
        Original::Text(text) | Original::Json(text) => text.clone().into_bytes(),
        Original::Bytes(bytes) => bytes.clone(),
        Original::Spooled(spooled) => {
            let mut all = Vec::new();
            let chunk = |bytes: &[u8]| {
                all.extend_from_slice(bytes);
                Ok::<_, std::io::Error>(())
            };
            spooled.chunks(7, chunk).unwrap();
            all
        }
        other => panic!("{other:?}"),
    }
}

/// The header and the rows, as they are written again.
fn records(rows: &[Rows]) -> Records {
    meaningful(oracle(&written(rows, Format::Csv, false).unwrap()))
}

fn oracle(data: &[u8]) -> Records {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data);
    let records = reader.byte_records().map(Result::unwrap);
    records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
}

/// Without rows of one empty cell, which that crate skips where no quote is, and without the line by
/// which a spreadsheet names the delimiter.
fn meaningful(mut records: Records) -> Records {
    while records.first().is_some_and(|it| {
        it.concat().eq_ignore_ascii_case(b"sep=") && it.len() == 2 && it[1].is_empty()
    }) {
        records.remove(0);
    }
    records.retain(|record| record.len() > 1 || !record[0].is_empty());
    records
}

fn refused(error: &RowsError, data: &[u8]) {
    let records = oracle(data);
    let widths: Vec<_> = records.iter().map(Vec::len).collect();
    let is_right = match error {
        RowsError::NoHeader { .. } => meaningful(records).is_empty(),
        RowsError::NotUtf8 { .. } => str::from_utf8(data).is_err(),
        RowsError::TooLong { .. } => data.len() > LIMIT,
        RowsError::TooFewFields { .. } | RowsError::TooManyFields { .. } => {
            widths.iter().any(|it| *it != widths[0])
        }
        RowsError::UnclosedQuote { .. }
        | RowsError::TextAfterQuote { .. }
        | RowsError::TextAfterLongQuote { .. } => data.contains(&b'"'),
        RowsError::HeaderTwice { .. } | RowsError::OtherDelimiter { .. } => true,
        // The data is packed, or a table.
        RowsError::Read { .. } => {
            !data.is_ascii()
                || data.starts_with(b"PAR1")
                || data.starts_with(b"ARROW1")
                || data.starts_with(b"\x1f")
        }
        _ => false,
    };
    assert!(is_right, "{error}");
}
