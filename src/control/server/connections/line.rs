//! One connection as it stands: whether the daemon owes an answer, or the caller owes the rest of a request or the
//! taking of an answer. Bodies and the stream itself tell it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use super::super::peer::Share;
use super::refusal;

/// A connection.
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) share: Share,
    standing: Mutex<Standing>,
    gone: CancellationToken,
}

struct Standing {
    /// A request is being answered.
    answering: bool,
    /// The rest of its body has not come.
    owed: bool,
    /// Nothing of the answer is taken.
    stalled: bool,
    /// Since when it is so.
    since: Instant,
}

/// That a request is being answered, while it lives.
pub(super) struct Answering(Arc<Line>);

impl Line {
    pub(super) fn new(id: u64, share: Share) -> Line {
        Line {
            id,
            share,
            standing: Mutex::new(Standing {
                answering: false,
                owed: false,
                stalled: false,
                since: Instant::now(),
            }),
            gone: CancellationToken::new(),
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, change: impl FnOnce(&mut Standing)) {
        let mut standing = self.standing();
        change(&mut standing);
        standing.since = Instant::now();
    }

    /// A request is being answered until what is given here is dropped.
    pub(super) fn answers(self: &Arc<Self>) -> Answering {
        self.now(|standing| standing.answering = true);
        Answering(Arc::clone(self))
    }

    /// Since when it waits for its caller; none while it does not.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        let standing = self.standing();
        let waits = !standing.answering || standing.owed || standing.stalled;
        waits.then_some(standing.since)
    }

    /// For how long it has waited for its caller; nothing while it does not.
    pub(super) fn waits_for(&self) -> Duration {
        self.waits_since()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether the rest of a request's body has not come.
    pub(super) fn is_owed(&self) -> bool {
        self.standing().owed
    }

    /// Whether no answer is begun that is not wholly written.
    pub(super) fn may_be_told(&self) -> bool {
        let standing = self.standing();
        !standing.stalled && (standing.owed || !standing.answering)
    }

    pub(super) fn let_go(&self) {
        self.gone.cancel();
    }

    #[cfg(test)]
    pub(super) fn is_let_go(&self) -> bool {
        self.gone.is_cancelled()
    }

    pub(super) async fn has_to_go(&self) {
        self.gone.cancelled().await;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.now(|standing| {
            standing.answering = false;
            standing.owed = false;
        });
    }
}

/// The body of a request: tells the line when the caller owes the rest of it.
pub(super) struct Owed<B> {
    inner: B,
    line: Arc<Line>,
}

impl<B> Owed<B> {
    pub(super) fn new(inner: B, line: Arc<Line>) -> Owed<B> {
        Owed { inner, line }
    }
}

impl<B: Body + Unpin> Body for Owed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let owed = polled.is_pending();
        if owed || self.line.is_owed() {
            self.line.now(|standing| standing.owed = owed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of an answer, and what is kept until it was given away.
pub(in super::super) struct Kept<T> {
    inner: axum::body::Body,
    _kept: T,
}

impl<T> Kept<T> {
    pub(in super::super) fn new(inner: axum::body::Body, kept: T) -> Kept<T> {
        Kept { inner, _kept: kept }
    }
}

impl<T: Unpin> Body for Kept<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The stream: tells the line when the caller takes nothing, ends when that lasts too long, and gives a reason
/// where the HTTP library refuses without one.
pub(super) struct Watched<S> {
    stream: S,
    line: Arc<Line>,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// What is written instead, and how much of the original it stands for.
    instead: Option<(Vec<u8>, usize, usize)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    pub(super) fn new(stream: S, line: Arc<Line>, patience: Duration) -> Watched<S> {
        Watched {
            stream,
            line,
            patience,
            stalled: None,
            instead: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    fn taken<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if self.stalled.take().is_some() {
                self.line.now(|standing| standing.stalled = false);
            }
            return polled;
        }
        if self.stalled.is_none() {
            self.line.now(|standing| standing.stalled = true);
        }
        let patience = self.patience;
        let wait = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(wait.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            self.instead = refusal::with_a_reason(bytes).map(|text| (text, 0, bytes.len()));
        }
        let Some((text, mut written, stands_for)) = self.instead.take() else {
            let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
            return self.taken(cx, polled);
        };
        while written < text.len() {
            let polled = Pin::new(&mut self.stream).poll_write(cx, &text[written..]);
            match self.taken(cx, polled) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(more)) => written += more,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.instead = Some((text, written, stands_for));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(stands_for))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.taken(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
