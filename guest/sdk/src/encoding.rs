//! Answers that come compressed though nobody asked for it, as some proxies send them.

use crate::TransportError;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{ErrorKind, Read};

/// Whether a body is most likely encoded: nothing that a store answers begins so. Asking for the
/// header of each answer would cost more.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
pub(crate) fn looks_encoded(body: &[u8]) -> bool {
    let is_json = |byte: &u8| matches!(byte, b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t');
    body.first().is_some_and(|first| !is_json(first))
}

/// The body that an encoding, the value of `content-encoding`, was applied to: at most `limit`
/// bytes, whatever it claims to become.
///
/// # Errors
/// The encoding is not known, the body is damaged, or larger than the limit.
pub fn decoded(body: Vec<u8>, encoding: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut body = body;
    // In the order in which they were applied. None of several is undone for free.
    for encoding in encoding.rsplit(',').map(str::trim).take(3) {
        body = match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => body,
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), encoding, limit)?,
            // Some send what the name says, some what the standard says.
            "deflate" => match read(ZlibDecoder::new(&*body), encoding, limit) {
                Err(TransportError::Broken(_)) => {
                    read(DeflateDecoder::new(&*body), encoding, limit)?
                }
                other => other?,
            },
            _ => {
                let name: String =
                    encoding.chars().filter(char::is_ascii_graphic).take(20).collect();
                return Err(TransportError::Encoded(name));
            }
        };
    }
    Ok(body)
}

fn read(decoder: impl Read, encoding: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    match decoder.take(limit as u64 + 1).read_to_end(&mut body) {
        Ok(_) if body.len() > limit => Err(TransportError::TooLarge(limit)),
        Ok(_) => Ok(body),
        Err(error) => Err(TransportError::Broken(match error.kind() {
            ErrorKind::UnexpectedEof => format!("the answer, encoded as {encoding}, breaks off"),
            _ => format!("the answer, encoded as {encoding}, is damaged"),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_compressed_is_read() {
        let read = |body, encoding| decoded(body, encoding, 100).unwrap();
        assert_eq!(read(gzip(b"{}"), "gzip"), b"{}");
        assert_eq!(read(gzip(b"{}"), "X-GZIP"), b"{}");
        assert_eq!(read(gzip(&gzip(b"{}")), "gzip, gzip"), b"{}");
        assert_eq!(read([gzip(b"{"), gzip(b"}")].concat(), "gzip"), b"{}");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"{}").unwrap();
        assert_eq!(read(zlib.finish().unwrap(), "deflate"), b"{}");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"{}").unwrap();
        assert_eq!(read(raw.finish().unwrap(), "deflate"), b"{}");
        assert_eq!(read(b"{}".to_vec(), "identity"), b"{}");
    }

    #[test]
    fn what_becomes_too_large_is_given_up_before_it_is() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(decoded(bomb, "gzip", 1 << 20), Err(TransportError::TooLarge(1 << 20)));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let cut = gzip(b"{\"result\":[]}");
        let cut = decoded(cut[..cut.len() - 9].to_vec(), "gzip", 100);
        let why = "the answer, encoded as gzip, breaks off".to_owned();
        assert_eq!(cut, Err(TransportError::Broken(why)));
        assert_eq!(decoded(vec![0], "br", 100), Err(TransportError::Encoded("br".to_owned())));
    }

    #[test]
    fn json_does_not_look_encoded_and_gzip_does() {
        assert!(!looks_encoded(b"{}") && !looks_encoded(b"") && !looks_encoded(b"\n{}"));
        assert!(looks_encoded(&gzip(b"{}")));
    }
}
