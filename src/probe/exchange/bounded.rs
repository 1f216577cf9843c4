//! A connection that gives up on a server which never comes to the point.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use super::AskError;

/// The largest head that is taken for honest.
pub(super) const MOST_HEAD: usize = 32 * 1024;

/// All that a server may send before the head of its answer is complete.
const MOST_BEFORE_ANSWER: usize = 2 * MOST_HEAD;

/// The number of bytes that a server may still send; shared by a connection and the code
/// that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Bound(Arc<AtomicUsize>);

impl Bound {
    /// The bound, and the connection that keeps to it.
    pub(super) fn around<T>(io: T) -> (Self, Bounded<T>) {
        let bound = Self(Arc::new(AtomicUsize::new(MOST_BEFORE_ANSWER)));
        let left = bound.clone();
        (bound, Bounded { io, left })
    }

    /// The answer is here: what follows is its body.
    pub(super) fn lift(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }

    /// Why the exchange failed. HTTP/2 keeps no more of an error of its connection than the
    /// kind, so that the count is asked and not the error.
    pub(super) fn blame(&self, error: hyper::Error) -> AskError {
        if self.left() == 0 {
            AskError::TooMuch
        } else {
            AskError::Exchange(error)
        }
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection with a limit on the bytes that its server may send.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    io: T,
    left: Bound,
}

impl<T: Read + Unpin> Read for Bounded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.left.left();
        if left == usize::MAX {
            return Pin::new(&mut self.io).poll_read(context, buffer);
        }
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::Other.into()));
        }
        // Read through a buffer of our own: it bounds and counts, and heads are short.
        let mut bytes = [MaybeUninit::uninit(); 4096];
        let most = left.min(bytes.len()).min(buffer.remaining());
        let mut piece = ReadBuf::uninit(&mut bytes[..most]);
        ready!(Pin::new(&mut self.io).poll_read(context, piece.unfilled()))?;
        let read = piece.filled();
        buffer.put_slice(read);
        self.left.0.store(left - read.len(), Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: Write + Unpin> Write for Bounded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Does nothing: a check that knows its verdict drops the connection, which closes it.
    /// Taking leave first would cost two more calls and an encrypted record, and happened
    /// only where the server had announced that it closes.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, buffers)
    }
}
