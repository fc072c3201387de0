//! What the first bytes of an input say that it is.

use std::io::{self, Read};

use crate::{Compression, Format};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magic {
    Packed(Compression),
    Columnar(Format),
    Utf16,
}

const MAGICS: &[(&[u8], Magic)] = &[
    (b"\x1f\x8b", Magic::Packed(Compression::Gzip)),
    (b"\x28\xb5\x2f\xfd", Magic::Packed(Compression::Zstd)),
    (b"PAR1", Magic::Columnar(Format::Parquet)),
    (b"ARROW1", Magic::Columnar(Format::Arrow)),
    (b"\xff\xff\xff\xff", Magic::Columnar(Format::Arrows)),
    (b"\xff\xfe", Magic::Utf16),
    (b"\xfe\xff", Magic::Utf16),
];

impl Magic {
    /// What data is that begins with these bytes; `None` for what may be text.
    pub(crate) fn of(data: &[u8]) -> Option<Self> {
        MAGICS.iter().find(|(magic, _)| data.starts_with(magic)).map(|(_, found)| *found)
    }

    /// Whether more bytes could say more.
    fn is_open(data: &[u8]) -> bool {
        MAGICS.iter().any(|(magic, _)| data.len() < magic.len() && magic.starts_with(data))
    }

    /// Reads the beginning of `stream`, and no oftener than it takes to know: what comes from a pipe
    /// may be short for a while.
    pub(crate) fn peek(stream: &mut (impl Read + ?Sized)) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        while Self::is_open(&data) {
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(bytes) => data.extend_from_slice(&chunk[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(data)
    }

    /// Why data that begins like this is no text.
    pub(crate) fn problem(self) -> String {
        match self {
            Self::Packed(compression) => {
                let name = compression.name();
                format!("it is {name} data; state --compression {name}, or no compression at all")
            }
            Self::Columnar(format) => {
                format!("it is {format} data; state --input-format {format}, or no format at all")
            }
            Self::Utf16 => {
                "it is UTF-16; convert it, for example with iconv -f UTF-16 -t UTF-8".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_it_takes_to_know() {
        for (data, peeked, found) in [
            ("{}\n", 1, None),
            ("PAR2", 4, None),
            ("PAR1....", 4, Some(Magic::Columnar(Format::Parquet))),
            ("", 0, None),
        ] {
            let mut bytes = data.bytes();
            let read = Magic::peek(&mut ByByte(&mut bytes)).unwrap();
            assert_eq!((read.len(), Magic::of(&read)), (peeked, found), "{data:?}");
        }
    }

    struct ByByte<'a>(&'a mut std::str::Bytes<'static>);

    impl Read for ByByte<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(byte) = self.0.next() else { return Ok(0) };
            buffer[0] = byte;
            Ok(1)
        }
    }
}
