//! The start of a body that never ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};

/// Sends a part, and then nothing until the client disconnects.
pub(super) struct StalledBody(Option<Bytes>);

impl StalledBody {
    pub(super) fn after(part: Bytes) -> Self {
        Self(Some(part))
    }
}

impl Body for StalledBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |part| Poll::Ready(Some(Ok(Frame::data(part)))))
    }
}
