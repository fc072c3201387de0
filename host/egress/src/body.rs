//! The body of an answer, with a limit on the time between two parts of it.

use crate::EgressError;
use crate::admission::Slot;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A body that fails with [`EgressError::ReadTimeout`] when its next part takes too long.
pub struct TimedBody {
    incoming: Incoming,
    allowed: Duration,
    /// Made when a part has to be waited for: most are there already.
    timer: Option<Pin<Box<Sleep>>>,
    /// The request's place among those that are made at once.
    _slot: Option<Slot>,
}

impl TimedBody {
    pub(crate) fn new(incoming: Incoming, allowed: Duration, slot: Option<Slot>) -> Self {
        TimedBody { incoming, allowed, timer: None, _slot: slot }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) {
            this.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| EgressError::of(&error))));
        }
        let allowed = this.allowed;
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + allowed)));
        timer.as_mut().poll(cx).map(|()| Some(Err(EgressError::ReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
