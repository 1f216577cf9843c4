//! A connection to a server, in the clear or inside TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::super::own_fault::{Open, SocketCount};
use super::Socket;
use super::stream_head::FirstBytes;

/// A connection to a server.
#[derive(Debug)]
pub(in super::super) enum Stream {
    /// A connection without TLS.
    Plain(Open<Socket>),
    /// A connection inside TLS.
    Tls(Box<TlsStream<FirstBytes>>, SocketCount),
    /// Anything else that carries bytes, and whether HTTP/2 is spoken on it.
    Other(Box<dyn Carrier>, bool),
}

/// What carries bytes both ways.
pub(in super::super) trait Carrier:
    AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug
{
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Carrier for T {}

impl Stream {
    /// Whether the two ends agreed upon HTTP/2 in the handshake (ALPN, RFC 7301).
    pub(in super::super) fn speaks_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Other(_, http2) => *http2,
            Self::Tls(stream, _) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(&mut stream.socket).poll_read(context, buffer),
            Self::Tls(stream, _) => Pin::new(stream).poll_read(context, buffer),
            Self::Other(stream, _) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(&mut stream.socket).poll_write(context, bytes),
            Self::Tls(stream, _) => Pin::new(stream).poll_write(context, bytes),
            Self::Other(stream, _) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream, _) => Pin::new(stream).poll_flush(context),
            Self::Other(stream, _) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Does nothing: a check that knows its verdict drops the connection, which closes it.
    /// Taking leave first would cost two more calls and an encrypted record.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
