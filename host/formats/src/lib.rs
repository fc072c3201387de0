//! Reads rows from files, passes them to a handler as Arrow columns, and writes them out again with
//! the feature columns joined on.
//!
//! A row's own fields are written as they were read: NDJSON lines keep every byte, CSV cells keep
//! their text, columns of Parquet and Arrow keep their types. The join follows Beam's `cross_join`:
//! own fields come first, then features. Where both have the same name, the own field wins, unless
//! [`OnConflict`] says otherwise. Memory holds one batch (for Parquet, one row group), however long
//! the input is.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{Float64Array, RecordBatch, cast::AsArray};
//! use beamlet_formats::{Field, Format, ReadOptions, Reader, Source, Target, WriteOptions, Writer};
//!
//! let input = "{\"user\": \"ada\", \"n\": 1.50}\n{\"user\": \"bob\"}\n".as_bytes();
//! let mut reader = Reader::open(Source::stream("stdin", input), Format::Ndjson, ReadOptions::default())?;
//! # let kept = Shared::default();
//! # let (output, kept) = (kept.clone(), kept);
//! // let output = std::io::stdout();
//! let mut writer = Writer::create(Target::stream("stdout", output), Format::Ndjson, WriteOptions::default())?;
//!
//! while let Some(rows) = reader.next(1_000)? {
//!     let read = rows.project(&[Field::required("user")])?;
//!     assert_eq!(read.column(0).as_string::<i32>().value(1), "bob");
//!
//!     let score = Float64Array::from(vec![Some(0.5), None]);
//!     let features = RecordBatch::try_from_iter_with_nullable([("score", Arc::new(score) as _, true)])?;
//!     writer.write(&rows, Some(&features))?;
//! }
//! assert_eq!(writer.finish()?.rows, 2);
//! # assert_eq!(kept.text(), concat!(
//! #     r#"{"user": "ada", "n": 1.50,"score":0.5}"#, "\n",
//! #     r#"{"user": "bob","score":null}"#, "\n",
//! # ));
//! // {"user": "ada", "n": 1.50,"score":0.5}
//! // {"user": "bob","score":null}
//! # #[derive(Clone, Default)]
//! # struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);
//! # impl Shared { fn text(&self) -> String { String::from_utf8(self.0.lock().unwrap().clone()).unwrap() } }
//! # impl std::io::Write for Shared {
//! #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(bytes) }
//! #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bad_row;
mod codec;
mod delimiter;
mod document;
mod error;
mod field;
mod format;
mod guard;
mod origin;
mod place;
mod read;
mod record;
mod rows;
mod source;
mod table;
mod target;
mod write;

pub use bad_row::{BadRow, Original, Spooled};
pub use beamlet_contract::join::OnConflict;
pub use delimiter::{BadDelimiter, Delimiter, LikelyDelimiter};
pub use error::RowsError;
pub use field::{Field, UnknownType, ValueType};
pub use format::{Compression, Format, FormatError};
pub use origin::{Origin, Unit};
pub use place::{Identity, Place};
pub use read::{ReadOptions, Reader};
pub use rows::Rows;
pub use source::{InputProgress, Patience, Source};
pub use target::{Output, Target, discard_unfinished};
pub use write::{WriteOptions, Writer, Written};
