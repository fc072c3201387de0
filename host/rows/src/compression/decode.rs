//! Unpacks an input while it is read.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::Compression;

const BUFFER_BYTES: usize = 1 << 17;

/// What is packed in `stream`. One that ends within a member or a frame is an error that says so.
pub(crate) fn decoded(
    stream: Box<dyn Read + Send>,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send>> {
    let stream = BufReader::with_capacity(BUFFER_BYTES, Guarded(stream));
    Ok(match compression {
        Compression::None => stream.into_inner().0,
        Compression::Gzip => Box::new(Decoder { stream: MultiGzDecoder::new(stream), compression }),
        Compression::Zstd => {
            let stream = zstd::Decoder::with_buffer(stream)?;
            Box::new(Decoder { stream, compression })
        }
    })
}

/// Waits out interruptions, which the decoders would take for errors of their input.
struct Guarded(Box<dyn Read + Send>);

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

struct Decoder<R> {
    stream: R,
    compression: Compression,
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.stream.read(buffer).map_err(|error| {
            let name = self.compression.name();
            match error.kind() {
                io::ErrorKind::UnexpectedEof => io::Error::new(
                    error.kind(),
                    format!("its {name} data is truncated; get the whole file"),
                ),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                    io::Error::new(error.kind(), format!("it is no sound {name} data: {error}"))
                }
                _ => error,
            }
        })
    }
}
