//! Unpacks an input while it is read, and packs an output while it is written.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use crate::format::{Compression, Magic};

const BUFFER_BYTES: usize = 1 << 17;

type Stream = Box<dyn Read + Send>;

/// Unpacks `stream`. A stream that ends within a member or a frame gives an error.
pub(crate) fn decoded(stream: Stream, compression: Compression) -> io::Result<Stream> {
    let stream = BufReader::with_capacity(BUFFER_BYTES, Guarded(stream));
    Ok(match compression {
        Compression::None => stream.into_inner().0,
        Compression::Gzip => Box::new(Decoder { stream: Members::new(stream), compression }),
        Compression::Zstd => {
            let stream = zstd::Decoder::with_buffer(stream)?;
            Box::new(Decoder { stream, compression })
        }
    })
}

/// Unpacks `stream` with the compression that its first bytes show, or with `named` if they show
/// none. Nothing is read before the first call of `read`.
pub(crate) fn detected(stream: Stream, named: Compression) -> Stream {
    Box::new(Detected { stream, unknown: Some(named) })
}

struct Detected {
    stream: Stream,
    /// The compression that the name says, until the first bytes are read.
    unknown: Option<Compression>,
}

impl Read for Detected {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(named) = self.unknown {
            let begin = Magic::peek(&mut self.stream)?;
            let compression = match Magic::of(&begin) {
                Some(Magic::Packed(found)) => found,
                _ => named,
            };
            let rest = std::mem::replace(&mut self.stream, Box::new(io::empty()));
            self.stream = decoded(Box::new(Cursor::new(begin).chain(rest)), compression)?;
            self.unknown = None;
        }
        self.stream.read(buffer)
    }
}

/// Retries interrupted reads, which the decoders would treat as errors of their input.
struct Guarded(Stream);

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

/// The members of a gzip file, and the zeros after them that fill up the last block of a tape or a
/// disk. A read that fails because no data is available yet can be retried.
enum Members<R> {
    Member(Box<GzDecoder<R>>),
    Between(R),
    End,
}

impl<R: BufRead> Members<R> {
    fn new(stream: R) -> Self {
        Self::Member(Box::new(GzDecoder::new(stream)))
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let next = match self {
                Self::Member(member) => match member.read(buffer)? {
                    0 => None,
                    bytes => return Ok(bytes),
                },
                Self::Between(stream) => Some(behind_zeros(stream)?),
                Self::End => return Ok(0),
            };
            *self = match (std::mem::replace(self, Self::End), next) {
                (Self::Member(member), _) => Self::Between((*member).into_inner()),
                (Self::Between(stream), Some(Some(0x1f))) => {
                    Self::Member(Box::new(GzDecoder::new(stream)))
                }
                (Self::Between(_), Some(Some(_))) => {
                    let problem = "data that is not gzip follows its last member";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
                }
                _ => Self::End,
            };
        }
    }
}

/// Skips zeros, and returns the byte that follows, if there is one.
fn behind_zeros(stream: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let data = stream.fill_buf()?;
        let zeros = data.iter().take_while(|byte| **byte == 0).count();
        if let Some(byte) = data.get(zeros).copied() {
            stream.consume(zeros);
            return Ok(Some(byte));
        }
        if zeros == 0 {
            return Ok(None);
        }
        stream.consume(zeros);
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
                    io::Error::new(error.kind(), format!("it is not valid {name} data: {error}"))
                }
                _ => error,
            }
        })
    }
}

/// gzip's own default.
const GZIP_LEVEL: u32 = 6;

/// A sink together with its compression.
pub(crate) enum Encoder<W: Write> {
    None(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    pub(crate) fn new(sink: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(sink),
            Compression::Gzip => {
                Self::Gzip(GzEncoder::new(sink, flate2::Compression::new(GZIP_LEVEL)))
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(sink, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    pub(crate) fn sink(&mut self) -> &mut W {
        match self {
            Self::None(sink) => sink,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    /// Writes the end of the member or frame.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(sink) => Ok(sink),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::None(sink) => sink.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    /// Flushes everything that was written, so that a reader can unpack it before more is written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::None(sink) => sink.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
