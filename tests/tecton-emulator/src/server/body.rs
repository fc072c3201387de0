//! Bodies: a request's, read whole up to a limit, and an answer's, which may be cut short on
//! purpose.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::Sleep;

/// Why a request's body cannot be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It is longer than allowed.
    TooLarge,
    /// The client went away.
    Gone,
}

/// Reads a body of at most `limit` bytes. A longer one is read to its end and dropped, for a client
/// that is still sending would not see the answer.
pub(super) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, ReadError> {
    if body.size_hint().lower() <= limit as u64 {
        match Limited::new(&mut body, limit).collect().await {
            Ok(collected) => return Ok(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {}
            Err(_) => return Err(ReadError::Gone),
        }
    }
    while let Some(frame) = body.frame().await {
        frame.map_err(|_| ReadError::Gone)?;
    }
    Err(ReadError::TooLarge)
}

/// The number of pieces of a slow body.
const SLOW_PIECES: usize = 10;

/// An answer's body.
#[derive(Debug)]
pub(super) enum AnswerBody {
    /// All of it, in one piece.
    Whole(Option<Bytes>),
    /// Announces `length` bytes, sends `sent` of them and fails.
    Truncated { sent: Option<Bytes>, flushed: bool, length: u64 },
    /// A piece at a time, with a pause before each but the first.
    Slow { rest: Bytes, piece: usize, pause: Duration, timer: Option<Pin<Box<Sleep>>> },
}

impl AnswerBody {
    pub(super) fn truncated(whole: &Bytes) -> Self {
        Self::Truncated {
            sent: Some(whole.slice(..whole.len() / 2)),
            flushed: false,
            length: whole.len() as u64,
        }
    }

    /// In as many pieces as there are, over a time.
    pub(super) fn slow(whole: Bytes, time: Duration) -> Self {
        let piece = whole.len().div_ceil(SLOW_PIECES).max(1);
        let pause = time / SLOW_PIECES as u32;
        Self::Slow { rest: whole, piece, pause, timer: None }
    }
}

impl<B: Into<Bytes>> From<B> for AnswerBody {
    fn from(body: B) -> Self {
        Self::Whole(Some(body.into()).filter(|body: &Bytes| !body.is_empty()))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(Frame::data).map(Ok)),
            Self::Truncated { sent, flushed, .. } => {
                if let Some(sent) = sent.take() {
                    return Poll::Ready(Some(Ok(Frame::data(sent))));
                }
                if !*flushed {
                    // One more round lets hyper send what it has before the failure.
                    *flushed = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let cut = io::Error::other("cut short on purpose");
                Poll::Ready(Some(Err(cut)))
            }
            Self::Slow { rest, piece, pause, timer } => {
                if let Some(timer) = timer {
                    ready!(timer.as_mut().poll(context));
                }
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                *timer = Some(Box::pin(tokio::time::sleep(*pause)));
                let sent = rest.split_to((*piece).min(rest.len()));
                Poll::Ready(Some(Ok(Frame::data(sent))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_none(),
            Self::Slow { rest, .. } => rest.is_empty(),
            Self::Truncated { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(body) => body.as_ref().map_or(0, |body| body.len() as u64),
            Self::Truncated { length, .. } => *length,
            Self::Slow { rest, .. } => rest.len() as u64,
        })
    }
}
