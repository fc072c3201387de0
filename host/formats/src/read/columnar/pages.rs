//! Checks the sizes that the pages of a Parquet file declare, before the parser sees them. The
//! parser allocates a page with its declared size, and the process aborts if that fails.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use thrift::protocol::{TCompactInputProtocol, TInputProtocol, TType};

/// The number of `uncompressed_page_size` in Parquet's `PageHeader`.
const UNCOMPRESSED_PAGE_SIZE: i16 = 2;

/// The longest header of a page. It can contain the minimum and the maximum value.
const LONGEST_HEADER: u64 = 16 << 20;

/// A file whose page headers are checked as they are read. Read its footer from the file itself.
pub(super) struct Pages {
    file: File,
    limit: u64,
}

impl Pages {
    /// Limits the uncompressed size of each page to `limit` bytes.
    pub(super) fn new(file: File, limit: u64) -> Self {
        Self { file, limit }
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Pages {
    type T = BufReader<File>;

    /// The parser calls this for the header of each page, and for nothing else.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut read = self.file.get_read(start)?;
        // The buffer holds all but the longest headers, and is not consumed here.
        let size = match size(read.fill_buf()?) {
            Ok(size) => size,
            Err(_) => {
                let size = size(self.file.get_read(start)?.take(LONGEST_HEADER));
                // A header that Thrift's own reader rejects is not passed to the parser.
                size.map_err(|error| {
                    bad(format!("the header of the page at byte {start}: {error}"))
                })?
            }
        };
        match size {
            Some(size) if u64::from(size.unsigned_abs()) > self.limit => Err(bad(format!(
                "the page at byte {start} declares {size} bytes, more than {}; if that is \
                 right, raise --max-batch-bytes",
                self.limit
            ))),
            _ => Ok(read),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        self.file.get_bytes(start, length)
    }
}

fn bad(problem: String) -> ParquetError {
    ParquetError::General(problem)
}

/// The uncompressed size that this page header declares.
fn size(header: impl Read) -> thrift::Result<Option<i32>> {
    let mut header = TCompactInputProtocol::new(header);
    header.read_struct_begin()?;
    let mut size = None;
    loop {
        let field = header.read_field_begin()?;
        match field.field_type {
            TType::Stop => return Ok(size),
            TType::I32 if field.id == Some(UNCOMPRESSED_PAGE_SIZE) => {
                size = size.max(Some(header.read_i32()?));
            }
            // The parser accepts any integer type for this field.
            TType::I08 | TType::I16 | TType::I64 if field.id == Some(UNCOMPRESSED_PAGE_SIZE) => {
                return Err("its uncompressed_page_size is no i32".into());
            }
            other => header.skip(other)?,
        }
        header.read_field_end()?;
    }
}
