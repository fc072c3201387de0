//! An answer on its way out, no faster than it is taken.

use crate::account::Account;
use crate::problem::{self, Problem};
use beamlet_guest::bindings::wasi::http::types::{
    Fields, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use beamlet_guest::bindings::wasi::io::streams::OutputStream;

/// An answer whose head is sent. Dropped before [`finish`](Self::finish), it breaks off, so that
/// nobody takes what there is of it for the whole.
pub(crate) struct Reply {
    stream: OutputStream,
    body: OutgoingBody,
}

/// Nobody takes the answer any more.
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

    /// Writes, and waits while nobody takes it.
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
        // Until the flush has come to its end, there is something of the body in the stream.
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
pub(crate) fn whole(
    out: ResponseOutparam,
    account: &mut Account<'_>,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) {
    account.told.status = status;
    account.told.bytes_out = body.len() as u64;
    account.close();
    let length = body.len().to_string();
    let mut all = vec![("content-length", length.as_str())];
    all.extend_from_slice(headers);
    // To a HEAD, the host sends no body; and a client that has gone is nothing to answer.
    if let Ok(mut reply) = Reply::start(out, status, &all)
        && reply.write(body.as_bytes()).is_ok()
    {
        let _ = reply.finish(&[]);
    }
}

/// Sends a problem.
pub(crate) fn problem(out: ResponseOutparam, account: &mut Account<'_>, problem: &Problem) {
    let mut headers = vec![("content-type", problem::CONTENT_TYPE)];
    headers.extend(problem.headers.iter().map(|(name, value)| (*name, value.as_str())));
    account.told.error = problem.body["detail"].as_str().map(str::to_owned);
    whole(out, account, problem.status, &headers, &problem.body.to_string());
}
