//! Parquet and Arrow: invalid data gives an error, and never a panic, an abort or a hang.

use super::{read, written};
use beamlet_formats::{Field, Format, ReadOptions};

/// A Parquet file.
pub fn parquet(data: &[u8]) {
    table(data, Format::Parquet);
}

/// An Arrow IPC file.
pub fn arrow(data: &[u8]) {
    table(data, Format::Arrow);
}

/// An Arrow IPC stream.
pub fn arrows(data: &[u8]) {
    table(data, Format::Arrows);
}

fn table(data: &[u8], format: Format) {
    let options = ReadOptions { max_batch_bytes: 64 << 20, ..ReadOptions::default() };
    let Ok(rows) = read(data, format, options) else { return };
    for rows in &rows {
        let _ = rows.project(&[Field::optional("user_id"), Field::optional("s")]);
        for row in 0..rows.len() {
            let mut json = Vec::new();
            rows.json(row, &mut json).unwrap();
            serde_json::from_slice::<serde_json::Value>(&json).unwrap();
        }
    }
    for format in [Format::Ndjson, Format::Csv, Format::Parquet, Format::Arrow, Format::Arrows] {
        let Ok(bytes) = written(&rows, format, false) else { continue };
        if !matches!(format, Format::Ndjson | Format::Csv) {
            read(&bytes, format, ReadOptions::default()).unwrap();
        }
    }
}
