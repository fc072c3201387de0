//! Finds the unit in which all timestamps of an INT96 column can be read.
//!
//! An INT96 timestamp is a day and the nanoseconds in that day. No 64-bit type holds all of them.

use arrow_schema::TimeUnit;
use parquet::column::reader::ColumnReader;
use parquet::data_type::Int96;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};

use crate::guard::guarded;

/// The day of 1970-01-01 in INT96.
const EPOCH: i128 = 2_440_588;
const NANOS_OF_DAY: i128 = 86_400_000_000_000;

/// The number of values that are checked at a time.
const CHUNK: usize = 8_192;

/// A value that the unit cannot represent.
pub(super) struct Lost {
    /// The number of its row in the file, from 1.
    pub(super) row: u64,
    pub(super) problem: &'static str,
}

/// The unit for the column `leaf`: `wanted` if it is given; otherwise `unit` if it comes from the
/// file; otherwise microseconds, which cover every year, or nanoseconds if a value needs them.
/// Fails with the parser's message, or with the first value that the unit cannot represent.
pub(super) fn unit(
    file: impl ChunkReader + 'static,
    leaf: usize,
    wanted: Option<TimeUnit>,
    unit: TimeUnit,
) -> Result<Result<TimeUnit, Lost>, String> {
    let candidates = match (wanted, unit) {
        (Some(wanted), _) => vec![wanted],
        // Nanoseconds are the parser's default, so they say nothing about the file.
        (None, TimeUnit::Nanosecond) => vec![TimeUnit::Microsecond, TimeUnit::Nanosecond],
        (None, unit) => vec![unit, TimeUnit::Microsecond, TimeUnit::Nanosecond],
    };
    let reader = guarded(|| SerializedFileReader::new(file))?;
    let mut lost: Vec<Option<Lost>> = candidates.iter().map(|_| None).collect();
    let mut row = 0;
    for group in 0..reader.num_row_groups() {
        let column =
            guarded(|| reader.get_row_group(group).and_then(|it| it.get_column_reader(leaf)))?;
        let ColumnReader::Int96ColumnReader(mut column) = column else {
            return Err("an INT96 column is of another type in its row group".to_owned());
        };
        let levels = reader.metadata().file_metadata().schema_descr().column(leaf);
        let (present, flat) = (levels.max_def_level(), levels.max_rep_level() == 0);
        loop {
            let (mut defined, mut repeated, mut values) = (Vec::new(), Vec::new(), Vec::new());
            let (_, _, read) = guarded(|| {
                column.read_records(CHUNK, Some(&mut defined), Some(&mut repeated), &mut values)
            })?;
            if read == 0 && values.is_empty() {
                break;
            }
            let mut values = values.iter();
            for level in 0..read {
                row += u64::from(flat || repeated.get(level).is_none_or(|it| *it == 0));
                if present > 0 && defined.get(level) != Some(&present) {
                    continue;
                }
                let Some(value) = values.next() else { break };
                for (unit, lost) in candidates.iter().zip(&mut lost) {
                    if lost.is_none()
                        && let Some(problem) = problem(value, *unit)
                    {
                        *lost = Some(Lost { row, problem });
                    }
                }
            }
        }
    }
    if let Some(fits) = lost.iter().position(Option::is_none) {
        return Ok(Ok(candidates[fits]));
    }
    Ok(lost.pop().flatten().map_or(Ok(unit), Err))
}

/// What the unit loses of the value.
fn problem(value: &Int96, unit: TimeUnit) -> Option<&'static str> {
    let [low, high, day] = *value.data() else { return Some("it has no 96 bits") };
    // The same conversion as in the parser.
    let (day, nanos) = (i128::from(day as i32), (i128::from(high) << 32) + i128::from(low));
    let nanos = (day - EPOCH) * NANOS_OF_DAY + nanos;
    let (size, finer, beyond) = match unit {
        TimeUnit::Second => {
            (1_000_000_000, "it has digits below a second", "it is too far from 1970 for seconds")
        }
        TimeUnit::Millisecond => (
            1_000_000,
            "it has digits below a millisecond",
            "it is too far from 1970 for milliseconds",
        ),
        TimeUnit::Microsecond => {
            (1_000, "it has digits below a microsecond", "it is too far from 1970 for microseconds")
        }
        TimeUnit::Nanosecond => (
            1,
            "",
            "it is too far from 1970 for nanoseconds, which other values of the column need",
        ),
    };
    if nanos % size != 0 {
        return Some(finer);
    }
    i64::try_from(nanos / size).is_err().then_some(beyond)
}
