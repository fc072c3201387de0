//! Bodies of requests and answers over `wasi:http`, read and written piece by piece.

use crate::instance::Record;
use crate::problem::{CONTENT_TYPE, Problem};
use beamlet_guest::bindings::wasi::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use beamlet_guest::bindings::wasi::io::poll::Pollable;
use beamlet_guest::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// The result of one read.
pub(crate) enum Read {
    /// Bytes of the body.
    Bytes(Vec<u8>),
    /// No byte has arrived since the last read.
    Nothing,
    /// The body has ended.
    End,
}

/// A body that is being read. Fields drop in order: each before the one that it is a part of.
pub(crate) struct Body {
    pollable: Option<Pollable>,
    stream: InputStream,
    _body: IncomingBody,
}

/// The most bytes of one read.
const READ_BYTES: u64 = 64 << 10;

impl Body {
    /// The body of a request; `None` where it was taken before.
    pub(crate) fn of(request: &IncomingRequest) -> Option<Self> {
        let body = request.consume().ok()?;
        let stream = body.stream().ok()?;
        Some(Body { pollable: None, stream, _body: body })
    }

    /// Reads the bytes that have arrived. The error says why the client sends no more.
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

/// An answer whose head is sent. Where it is dropped before [`finish`](Self::finish), the client
/// sees that it is not complete.
pub(crate) struct Reply {
    stream: OutputStream,
    body: OutgoingBody,
}

/// The client has closed the connection.
#[derive(Debug)]
pub(crate) struct Gone;

impl Reply {
    /// Sends the head.
    pub(crate) fn start(
        out: ResponseOutparam,
        status: u16,
        headers: &[(&str, &str)],
    ) -> Result<Self, Gone> {
        let list: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        let fields = Fields::from_list(&list).map_err(|_| Gone)?;
        let response = OutgoingResponse::new(fields);
        response.set_status_code(status).map_err(|()| Gone)?;
        let body = response.body().map_err(|()| Gone)?;
        let stream = body.write().map_err(|()| Gone)?;
        ResponseOutparam::set(out, Ok(response));
        Ok(Reply { stream, body })
    }

    /// Writes bytes, as fast as the client takes them.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Gone> {
        while !bytes.is_empty() {
            let room = self.stream.check_write().map_err(|_| Gone)? as usize;
            if room == 0 {
                self.stream.subscribe().block();
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.stream.write(now).map_err(|_| Gone)?;
            bytes = later;
        }
        self.stream.flush().map_err(|_| Gone)
    }

    /// Ends the answer, with trailers where there are any.
    pub(crate) fn finish(self, trailers: &[(&str, u64)]) -> Result<(), Gone> {
        // The body can end only after the flush.
        self.stream.subscribe().block();
        self.stream.check_write().map_err(|_| Gone)?;
        drop(self.stream);
        let list: Vec<_> = trailers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_string().into_bytes()))
            .collect();
        let trailers = match list.is_empty() {
            true => None,
            false => Some(Fields::from_list(&list).map_err(|_| Gone)?),
        };
        OutgoingBody::finish(self.body, trailers).map_err(|_| Gone)
    }
}

/// Sends a whole answer.
pub(crate) fn send(
    out: ResponseOutparam,
    record: &mut Record<'_>,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) {
    record.summary.status = status;
    record.summary.bytes_out = body.len() as u64;
    record.close();
    let length = body.len().to_string();
    let mut all = vec![("content-length", length.as_str())];
    all.extend_from_slice(headers);
    // The host leaves out the body of an answer to HEAD. A client that has gone gets no answer.
    if let Ok(mut reply) = Reply::start(out, status, &all)
        && reply.write(body.as_bytes()).is_ok()
    {
        let _ = reply.finish(&[]);
    }
}

/// Sends a problem.
pub(crate) fn send_problem(out: ResponseOutparam, record: &mut Record<'_>, problem: &Problem) {
    let mut headers = vec![("content-type", CONTENT_TYPE)];
    headers.extend(problem.headers.iter().map(|(name, value)| (*name, value.as_str())));
    record.summary.error = problem.body["detail"].as_str().map(str::to_owned);
    send(out, record, problem.status, &headers, &problem.body.to_string());
}
