//! Plays a script on one connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::super::scenario::{Script, Step};
use super::super::{gzip_bomb, unescape};
use super::Count;
use super::http2;

/// What one server's connections share.
pub(super) struct Stage {
    pub(super) script: watch::Receiver<Arc<Script>>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) count: Arc<Count>,
    /// Addresses of the scenario's servers, to stand in for `{NAME}`.
    pub(super) names: Vec<(String, String)>,
    pub(super) gate: watch::Receiver<bool>,
}

/// The longest head of a request that is read.
const MOST_HEAD: usize = 64 * 1024;

/// How long a server that has closed waits for the client to close as well, so that what
/// was sent is read before the port's reset would discard it.
const FAREWELL: Duration = Duration::from_secs(5);

/// A bare connection, or the one inside TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    /// Has closing it tear it down.
    fn reset(&self) -> std::io::Result<()>;
}

impl Wire for TcpStream {
    fn reset(&self) -> std::io::Result<()> {
        self.set_zero_linger()
    }
}

impl Wire for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(&self) -> std::io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

/// Serves one connection to its end. A client that goes away ends it early.
pub(super) async fn connection(stage: &Stage, mut stream: TcpStream) {
    stage.count.connected();
    // Small writes are part of the scripts: they must leave as they are written.
    let _ = stream.set_nodelay(true);
    let script = Arc::clone(&stage.script.borrow());
    if let Some(steps) = &script.on_connect {
        let _ = play(stage, &mut stream, steps, None).await;
        return;
    }
    match &stage.tls {
        None => serve(stage, &script, &mut stream).await,
        Some(tls) => {
            let Ok(mut stream) = tls.accept(stream).await else {
                return;
            };
            if script.http2 {
                http2::serve(stage, &script, stream).await;
            } else {
                serve(stage, &script, &mut stream).await;
            }
        }
    }
}

async fn serve(stage: &Stage, script: &Script, wire: &mut dyn Wire) {
    if let Some((method, path)) = read_request(wire).await {
        answer(stage, script, wire, &method, &path).await;
    }
}

/// Answers a request that was read.
pub(super) async fn answer(
    stage: &Stage,
    script: &Script,
    wire: &mut dyn Wire,
    method: &str,
    path: &str,
) {
    let here = stage.count.request(path);
    match script.answer(method, path) {
        Some(steps) => {
            let _ = play(stage, wire, steps, Some(here)).await;
        }
        None => stage.count.unexpected(format!("{method} {path}")),
    }
}

/// Reads a request's head; its method, and its target with the cookies and
/// the body that it brings.
async fn read_request(wire: &mut dyn Wire) -> Option<(String, String)> {
    let mut head = Vec::new();
    let mut buffer = [0; 4_096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match wire.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
        if head.len() > MOST_HEAD {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head);
    let mut words = text.lines().next()?.split(' ');
    let (method, mut path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let cookie = text.lines().find_map(|line| line.strip_prefix("Cookie: "));
    if let Some(cookie) = cookie {
        path = format!("{path} {cookie}");
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.map_or(0, |length| length.parse().unwrap_or(0));
    let end = head.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    while head.len() < end + length {
        match wire.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
    }
    if length > 0 {
        path = format!("{path} {}", String::from_utf8_lossy(&head[end..]));
    }
    Some((method, path))
}

async fn play<'a>(
    stage: &'a Stage,
    wire: &mut dyn Wire,
    steps: &[Step],
    mut here: Option<super::count::Here<'a>>,
) -> std::io::Result<()> {
    let last_send = steps
        .iter()
        .rposition(|step| matches!(step, Step::Send { .. }));
    for (index, step) in steps.iter().enumerate() {
        if Some(index) == last_send {
            here = None;
        }
        match step {
            Step::Send { text, times, every } => {
                send(wire, &stage.bytes(text), *times, *every).await?;
            }
            Step::Bomb(mebibytes) => wire.write_all(&gzip_bomb(*mebibytes)).await?,
            Step::Wait(time) => tokio::time::sleep(*time).await,
            Step::Gather(count) => stage.count.gathered(*count).await,
            Step::Gate => {
                // The gate's keeper outlives the servers: waiting cannot fail.
                let _ = stage.gate.clone().wait_for(|open| *open).await;
            }
            Step::Hang => return until_gone(wire).await,
            Step::Reset => return wire.reset(),
            Step::HalfClose => wire.shutdown().await?,
        }
    }
    drop(here);
    wire.flush().await?;
    wire.shutdown().await?;
    let _ = tokio::time::timeout(FAREWELL, until_gone(wire)).await;
    Ok(())
}

impl Stage {
    /// The bytes of `text`, with the servers' addresses in it.
    fn bytes(&self, text: &str) -> Vec<u8> {
        let filled = self
            .names
            .iter()
            .fold(text.to_owned(), |text, (name, address)| {
                text.replace(&format!("{{{name}}}"), address)
            });
        // Checked when the scenario was read.
        unescape(&filled).unwrap_or_default()
    }
}

async fn until_gone(wire: &mut dyn Wire) -> std::io::Result<()> {
    let mut buffer = [0; 4_096];
    while wire.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Writes `bytes` so often, in large blocks when there is no pause between them.
async fn send(
    wire: &mut dyn Wire,
    bytes: &[u8],
    times: Option<u64>,
    every: Duration,
) -> std::io::Result<()> {
    const BLOCK: usize = 64 * 1024;
    let mut left = times.unwrap_or(u64::MAX);
    let per_block = match every {
        Duration::ZERO => (BLOCK / bytes.len().max(1)).max(1) as u64,
        _ => 1,
    };
    let block = bytes.repeat(usize::try_from(per_block.min(left)).unwrap_or(1));
    while left > 0 {
        tokio::time::sleep(every).await;
        let now = per_block.min(left);
        let count = usize::try_from(now).unwrap_or(1) * bytes.len();
        wire.write_all(&block[..count]).await?;
        wire.flush().await?;
        left -= now;
    }
    Ok(())
}
