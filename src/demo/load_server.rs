//! The server for measurements: all responses alike, very many connections at once.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::connection_limits::room_for_connections;
use super::http;
use super::ready_line::{self, LoadServerReady};

/// The most connections held at once, over all listeners; more wait to be accepted.
const MOST: usize = 32_768;

/// The most listeners, so that their descriptors leave room for connections.
const MOST_LISTENERS: usize = 64;

/// Connections that the system keeps until they are accepted; it may keep fewer.
const BACKLOG: u32 = 4_096;

/// Good for HEAD and GET alike: a body of no bytes.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// How the server for measurements answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadServer {
    /// How many ports to listen on, 1 to 64.
    pub listeners: usize,
    /// How long every answer takes.
    pub delay: Duration,
    /// Never answer at all.
    pub hang: bool,
}

/// Answers every request on every port with an empty 200 after the same delay.
///
/// Says one line of JSON, a [`LoadServerReady`], on `out` when the ports are open, and
/// ends when `commands` does; what it reads there is ignored. Ten thousand connections
/// wait in it at once where the system allows as many open files.
///
/// # Errors
/// When a port cannot be had or either stream fails.
pub async fn serve_load(
    settings: LoadServer,
    mut commands: impl AsyncRead + Unpin,
    mut out: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let listeners = settings.listeners.clamp(1, MOST_LISTENERS);
    let most = (room_for_connections(MOST) / listeners).max(1);
    let mut ports = JoinSet::new();
    let mut addresses = Vec::with_capacity(listeners);
    for _ in 0..listeners {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        addresses.push(socket.local_addr()?);
        ports.spawn(accept_all(socket.listen(BACKLOG)?, settings, most));
    }
    ready_line::say(&LoadServerReady { addresses }, &mut out).await?;

    let mut ignored = [0; 256];
    while commands.read(&mut ignored).await? > 0 {}
    Ok(())
}

async fn accept_all(listener: TcpListener, settings: LoadServer, most: usize) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < most => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(answer(stream, settings));
                }
                Err(error) => {
                    tracing::debug!(%error, "accepting failed");
                    // Out of descriptors, most likely: they come back as answers end.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
        }
    }
}

/// One connection. A client that leaves or sends nonsense is only a connection less.
async fn answer(mut stream: TcpStream, settings: LoadServer) {
    let head = tokio::time::timeout(http::CONNECTION_TIMEOUT, http::read_head(&mut stream)).await;
    // The head's buffer goes before the wait: what waits is small.
    let Ok(Ok(Some(_))) = head else { return };
    drop(head);
    if settings.hang {
        return http::hang(&mut stream).await;
    }
    tokio::time::sleep(settings.delay).await;
    let _ = stream.write_all(ANSWER).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    /// Starts a server; returns its addresses and the stream whose end ends it.
    async fn start(settings: LoadServer) -> (Vec<SocketAddr>, tokio::io::DuplexStream, Server) {
        let (stop, commands) = tokio::io::duplex(64);
        let (answers, out) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(serve_load(settings, commands, out));
        let mut line = String::new();
        BufReader::new(answers).read_line(&mut line).await.unwrap();
        let ready: LoadServerReady = serde_json::from_str(&line).unwrap();
        (ready.addresses, stop, server)
    }

    type Server = tokio::task::JoinHandle<io::Result<()>>;

    async fn ask(address: SocketAddr) -> io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn every_port_answers_after_the_delay_and_the_end_of_commands_ends_it() {
        let settings = LoadServer {
            listeners: 3,
            delay: Duration::from_millis(50),
            hang: false,
        };
        let (addresses, stop, server) = start(settings).await;
        assert_eq!(addresses.len(), 3);
        for address in &addresses {
            let began = Instant::now();
            assert!(ask(*address).await.unwrap().starts_with("HTTP/1.1 200 OK"));
            assert!(began.elapsed() >= settings.delay);
        }
        drop(stop);
        server.await.unwrap().unwrap();
        assert!(TcpStream::connect(addresses[0]).await.is_err());
    }

    #[tokio::test]
    async fn two_hundred_answers_overlap() {
        let settings = LoadServer {
            listeners: 1,
            delay: Duration::from_millis(200),
            hang: false,
        };
        let (addresses, _stop, _server) = start(settings).await;
        let began = Instant::now();
        let mut asked = JoinSet::new();
        for _ in 0..200 {
            asked.spawn(ask(addresses[0]));
        }
        for answer in asked.join_all().await {
            assert!(answer.unwrap().starts_with("HTTP/1.1 200 OK"));
        }
        // One after another they would take forty seconds.
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn a_hanging_server_hangs_until_it_ends() {
        let settings = LoadServer {
            listeners: 1,
            delay: Duration::ZERO,
            hang: true,
        };
        let (addresses, stop, server) = start(settings).await;
        let waiting = tokio::spawn(ask(addresses[0]));
        drop(stop);
        server.await.unwrap().unwrap();
        // Closed without an answer, or reset: either way nothing was said.
        assert_eq!(waiting.await.unwrap().unwrap_or_default(), "");
    }
}
