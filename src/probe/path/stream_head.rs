//! A connection that keeps the first bytes that came over it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::other_tls::CHOICE_BYTES;
use super::Socket;

/// A connection, and as much of what came first as shows what a server of TLS chose.
#[derive(Debug)]
pub(in super::super) struct FirstBytes {
    stream: Socket,
    bytes: [u8; CHOICE_BYTES],
    known: usize,
}

impl FirstBytes {
    pub(super) const fn of(stream: Socket) -> Self {
        Self {
            stream,
            bytes: [0; CHOICE_BYTES],
            known: 0,
        }
    }

    /// The bytes that came first, at most [`CHOICE_BYTES`].
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.known]
    }
}

impl AsyncRead for FirstBytes {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let wanted = &mut this.bytes[this.known..];
        if !wanted.is_empty() {
            let came = &buffer.filled()[before..];
            let count = came.len().min(wanted.len());
            wanted[..count].copy_from_slice(&came[..count]);
            this.known += count;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FirstBytes {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
