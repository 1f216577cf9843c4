//! HTTP/2 as a server speaks it: requests are read by a library, answers are raw frames.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::super::scenario::Script;
use super::play::{Stage, Wire, answer};

/// Reads the preface, the settings and one request, and plays its answer among whatever the
/// library has to say meanwhile: its own settings, and that it has seen the client's.
pub(super) async fn serve(stage: &Stage, script: &Script, stream: TlsStream<TcpStream>) {
    let mut shared = Shared(Arc::new(Mutex::new(stream)));
    let library = Shared(Arc::clone(&shared.0));
    let Ok(mut connection) = h2::server::handshake(library).await else {
        return;
    };
    let Some(Ok((request, respond))) = connection.accept().await else {
        return;
    };
    // Dropping it would have the library answer.
    let _held = respond;
    let (method, path) = (request.method().as_str(), request.uri().path());
    let library = async {
        while let Some(Ok(_another)) = connection.accept().await {}
        // The client is gone, or does not like what it got: the script notices it as well.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = answer(stage, script, &mut shared, method, path) => {}
        () = library => {}
    }
}

/// The connection, for the library and for the script.
struct Shared(Arc<Mutex<TlsStream<TcpStream>>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(Pin<&mut TlsStream<TcpStream>>) -> T) -> T {
        act(Pin::new(&mut *self.0.lock().unwrap()))
    }
}

impl Wire for Shared {
    fn reset(&self) -> io::Result<()> {
        self.0.lock().unwrap().get_ref().0.set_zero_linger()
    }
}

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(context))
    }
}
