//! A TCP connection that its thread waits for itself, or that a runtime watches.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream as OwnStream};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::event::PollFlags;
use rustix::io::{Errno, writev};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, getpeername, ipproto, recv, send,
    sockopt,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::thread_wait;

/// The most that is read at once, in bytes: what many threads leave on their stacks is cold
/// when it is used again.
const PIECE: usize = 4 * 1024;

/// A TCP connection. It is made as its thread waits, and becomes the runtime's when that has to
/// wait for it.
#[derive(Debug)]
pub(in super::super) enum Socket {
    /// Of a thread that waits in poll(2).
    Own(OwnSocket),
    /// Watched by a runtime.
    Watched(TcpStream),
}

/// A socket that does not block, and whether it was waited for since it was empty.
#[derive(Debug)]
pub(in super::super) struct OwnSocket {
    socket: Arc<OwnedFd>,
    /// Whether the thread has slept since there was nothing to read: then it is worth a try.
    waited: bool,
}

impl Socket {
    /// Connects to this address.
    pub(in super::super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        if !thread_wait::is_own() {
            return TcpStream::connect(address).await.map(Self::Watched);
        }
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket =
            rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut connecting = Self::Own(OwnSocket {
            socket: Arc::new(socket),
            waited: false,
        });
        poll_fn(|context| connecting.poll_connected(context)).await?;
        Ok(connecting)
    }

    fn poll_connected(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if thread_wait::is_own()
            && let Self::Own(own) = self
        {
            // One on this machine is there at once.
            if let Poll::Ready(done) = connected(&own.socket) {
                return Poll::Ready(done);
            }
            thread_wait::for_socket(&own.socket, PollFlags::OUT);
            return Poll::Pending;
        }
        loop {
            let stream = self.watched()?;
            ready!(waits(stream.poll_write_ready(context)))?;
            if let Poll::Ready(done) = connected(&*stream) {
                return Poll::Ready(done);
            }
            let over = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _no_more = stream.try_io(tokio::io::Interest::WRITABLE, over);
        }
    }

    /// The connection as the runtime's.
    fn watched(&mut self) -> io::Result<&mut TcpStream> {
        if let Self::Own(own) = self {
            let socket = own.socket.try_clone()?;
            *self = Self::Watched(TcpStream::from_std(OwnStream::from(socket))?);
        }
        match self {
            Self::Watched(stream) => Ok(stream),
            Self::Own(_) => Err(io::ErrorKind::Other.into()),
        }
    }

    /// The address of the other end.
    pub(in super::super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Watched(stream) => stream.peer_addr(),
            Self::Own(own) => {
                let address = getpeername(&own.socket)?;
                let address = address.and_then(|address| SocketAddr::try_from(address).ok());
                address.ok_or_else(|| io::ErrorKind::NotConnected.into())
            }
        }
    }

    /// What is written goes out at once.
    pub(in super::super) fn set_nodelay(&self) -> io::Result<()> {
        match self {
            Self::Watched(stream) => stream.set_nodelay(true),
            Self::Own(own) => Ok(sockopt::set_tcp_nodelay(&own.socket, true)?),
        }
    }
}

impl OwnSocket {
    /// What a try to write came to; waits where there was no room.
    fn written(&self, tried: Result<usize, Errno>) -> Poll<io::Result<usize>> {
        match tried {
            Ok(written) => Poll::Ready(Ok(written)),
            Err(Errno::AGAIN | Errno::INTR) => {
                thread_wait::for_socket(&self.socket, PollFlags::OUT);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

/// Whether a connection that was begun is there, or has failed.
fn connected(socket: impl std::os::fd::AsFd) -> Poll<io::Result<()>> {
    match getpeername(&socket) {
        Ok(_) => Poll::Ready(Ok(())),
        Err(_) => match sockopt::socket_error(&socket) {
            Ok(Err(error)) | Err(error) => Poll::Ready(Err(error.into())),
            Ok(Ok(())) => Poll::Pending,
        },
    }
}

/// Tells a thread that waits by itself that a runtime is waited for.
fn waits<T>(polled: Poll<T>) -> Poll<T> {
    if polled.is_pending() {
        thread_wait::for_runtime();
    }
    polled
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if thread_wait::is_own()
            && let Self::Own(own) = this
        {
            if own.waited {
                let mut bytes = [const { MaybeUninit::uninit() }; PIECE];
                let most = buffer.remaining().min(PIECE);
                match recv(&own.socket, &mut bytes[..most], RecvFlags::empty()) {
                    Ok(((came, _), _)) => {
                        // As long as it is full there is more.
                        own.waited = came.len() == most;
                        buffer.put_slice(came);
                        return Poll::Ready(Ok(()));
                    }
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
            own.waited = true;
            thread_wait::for_socket(&own.socket, PollFlags::IN);
            return Poll::Pending;
        }
        waits(Pin::new(this.watched()?).poll_read(context, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if thread_wait::is_own()
            && let Self::Own(own) = this
        {
            return own.written(send(&own.socket, bytes, SendFlags::NOSIGNAL));
        }
        waits(Pin::new(this.watched()?).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if thread_wait::is_own()
            && let Self::Own(own) = this
        {
            return own.written(writev(&own.socket, bytes));
        }
        waits(Pin::new(this.watched()?).poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: whoever is done drops the connection, which closes it.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
