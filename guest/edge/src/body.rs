//! A request's body, as it comes.

use beamlet_guest::bindings::wasi::http::types::{IncomingBody, IncomingRequest};
use beamlet_guest::bindings::wasi::io::poll::Pollable;
use beamlet_guest::bindings::wasi::io::streams::{InputStream, StreamError};

/// What one look at a body brings.
pub(crate) enum Read {
    /// Some of it.
    Bytes(Vec<u8>),
    /// Nothing has come since the last look.
    Nothing,
    /// There is no more.
    End,
}

/// A body that is being read. Fields drop in order: what is a part of another before it.
pub(crate) struct Body {
    pollable: Option<Pollable>,
    stream: InputStream,
    _body: IncomingBody,
}

/// The most that one look asks for, in bytes.
const READ_BYTES: u64 = 64 << 10;

impl Body {
    /// The body of a request; none where it was taken before.
    pub(crate) fn of(request: &IncomingRequest) -> Option<Self> {
        let body = request.consume().ok()?;
        let stream = body.stream().ok()?;
        Some(Body { pollable: None, stream, _body: body })
    }

    /// Takes what is there. The error is that the client sends no more, and why.
    pub(crate) fn read(&mut self) -> Result<Read, String> {
        match self.stream.read(READ_BYTES) {
            Ok(bytes) if bytes.is_empty() => Ok(Read::Nothing),
            Ok(bytes) => Ok(Read::Bytes(bytes)),
            Err(StreamError::Closed) => Ok(Read::End),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(format!("the body broke off: {}", error.to_debug_string()))
            }
        }
    }

    /// Waits for more.
    pub(crate) fn wait(&mut self) {
        self.pollable.get_or_insert_with(|| self.stream.subscribe()).block();
    }
}
