//! Checks the sizes that the batches of Arrow data declare, before the parser sees them. The parser
//! allocates a compressed buffer with its declared size, and the process aborts if that fails.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use arrow_ipc::{Message, RecordBatch, root_as_footer, root_as_message};

/// The size of a file's end: the length of the footer, and `ARROW1`.
const TAIL: u64 = 10;

/// Checks the batches of a file. The parser finds all other errors.
pub(super) fn check_file(file: &mut File, limit: u64) -> io::Result<()> {
    let size = file.seek(SeekFrom::End(0))?;
    let footer = size.checked_sub(TAIL).map(|at| bytes(file, at, 4)).transpose()?;
    let length = footer.and_then(|it| it.try_into().ok()).map_or(0, u32::from_le_bytes);
    let Some(start) = size.checked_sub(TAIL + u64::from(length)) else {
        return Err(invalid(format!(
            "its footer declares {length} bytes, but the file has {size}"
        )));
    };
    let footer = bytes(file, start, length.into())?;
    let Ok(footer) = root_as_footer(&footer) else { return rewound(file) };
    let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches());
    for block in blocks.flat_map(|blocks| blocks.iter()) {
        let (Ok(at), Ok(length), Ok(body)) = (
            u64::try_from(block.offset()),
            u64::try_from(block.metaDataLength()),
            u64::try_from(block.bodyLength()),
        ) else {
            continue;
        };
        // The parser allocates all of it before it reads.
        let end = at.saturating_add(length).saturating_add(body);
        if end > size {
            return Err(invalid(format!(
                "a batch declares its end at byte {end}, and the file has {size}"
            )));
        }
        let start = at.saturating_add(length);
        let is_checked = |file: &mut File, block: &[u8]| -> io::Result<bool> {
            let head = block.strip_prefix(&[0xff; 4]).unwrap_or(block);
            let Some(Ok(message)) = head.get(4..).map(root_as_message) else { return Ok(false) };
            check(&message, limit, |offset| bytes(file, start.saturating_add(offset), 8))?;
            Ok(true)
        };
        let head = bytes(file, at, length)?;
        if !is_checked(file, &head)? {
            // The parser accepts a message that extends into its body.
            let block = bytes(file, at, length + body)?;
            is_checked(file, &block)?;
        }
    }
    rewound(file)
}

fn rewound(file: &mut File) -> io::Result<()> {
    file.rewind()
}

/// Up to `length` bytes at `at`.
fn bytes(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fails if the compressed buffers of a message declare more than `limit` bytes. `read` returns the
/// first eight bytes at an offset in the body, which are the declared size.
fn check(
    message: &Message<'_>,
    limit: u64,
    mut read: impl FnMut(u64) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let Some(batch) = compressed(message) else { return Ok(()) };
    let mut all = 0_u64;
    for buffer in batch.buffers().iter().flatten() {
        let Ok(offset) = u64::try_from(buffer.offset()) else { continue };
        if buffer.length() < 8 {
            continue;
        }
        let Ok(size) = read(offset)?.try_into() else { continue };
        // -1 means that the buffer is not compressed.
        all = all.saturating_add(u64::try_from(i64::from_le_bytes(size)).unwrap_or(0));
    }
    if all <= limit {
        return Ok(());
    }
    Err(too_large(all, limit))
}

fn broken_off() -> io::Error {
    invalid("it ends within a message; get the complete data".to_owned())
}

fn too_large(bytes: u64, limit: u64) -> io::Error {
    invalid(format!(
        "a batch declares {bytes} bytes, more than {limit}; if that is right, raise --max-batch-bytes"
    ))
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

fn compressed<'a>(message: &Message<'a>) -> Option<RecordBatch<'a>> {
    let dictionary = || message.header_as_dictionary_batch().and_then(|it| it.data());
    let batch = message.header_as_record_batch().or_else(dictionary)?;
    batch.compression().map(|_| batch)
}

/// A stream whose batches are checked as they are read.
pub(super) struct Checked<R> {
    stream: R,
    limit: u64,
    /// Bytes that are checked and not read yet.
    ready: io::Cursor<Vec<u8>>,
    /// The number of bytes that follow and need no check.
    body: u64,
}

impl<R: Read> Checked<R> {
    pub(super) fn new(stream: R, limit: u64) -> Self {
        Self { stream, limit, ready: io::Cursor::default(), body: 0 }
    }

    /// Reads the next message without its body, or with it if the body is compressed.
    fn message(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        self.append(4, &mut ready)?;
        if ready == [0xff; 4] {
            self.append(4, &mut ready)?;
            if ready.len() < 8 {
                return Err(broken_off());
            }
        }
        // A stream may end between two messages. The parser accepts any other end, too.
        if !ready.is_empty() && ready.len() < 4 {
            return Err(broken_off());
        }
        let length = ready.last_chunk().map_or(0, |it| i32::from_le_bytes(*it));
        let head = ready.len();
        let length = u64::try_from(length).unwrap_or(0);
        self.append(length, &mut ready)?;
        // The parser allocates all of it before it reads.
        if ((ready.len() - head) as u64) < length {
            return Err(broken_off());
        }
        let body = match root_as_message(&ready[head..]) {
            Ok(message) => {
                let body = u64::try_from(message.bodyLength()).unwrap_or(0);
                if compressed(&message).is_some() {
                    let mut data = Vec::new();
                    self.append(body, &mut data)?;
                    check(&message, self.limit, |offset| {
                        let at = usize::try_from(offset).unwrap_or(usize::MAX);
                        Ok(data.get(at..at.saturating_add(8)).unwrap_or_default().to_vec())
                    })?;
                    ready.append(&mut data);
                    0
                } else if body > self.limit {
                    return Err(too_large(body, self.limit));
                } else {
                    body
                }
            }
            // The end of the stream, or data that the parser will reject.
            Err(_) => u64::MAX,
        };
        (self.ready, self.body) = (io::Cursor::new(ready), body);
        Ok(())
    }

    /// Appends `bytes` bytes, or fewer at the end of the stream.
    fn append(&mut self, bytes: u64, to: &mut Vec<u8>) -> io::Result<()> {
        (&mut self.stream).take(bytes).read_to_end(to).map(drop)
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.ready.read(buffer)?;
        if ready > 0 || buffer.is_empty() {
            return Ok(ready);
        }
        if self.body == 0 {
            self.message()?;
            let ready = self.ready.read(buffer)?;
            if ready > 0 {
                return Ok(ready);
            }
        }
        let bytes = (&mut self.stream).take(self.body).read(buffer)?;
        self.body -= bytes as u64;
        Ok(bytes)
    }
}
