//! `tcp://HOST:PORT`: a connection; a text may be sent (`send`), and one expected (`expect`).

use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::domain::{CheckKind, MaskedText, Reason, clean};

use super::super::classify::Failure;
use super::super::path::Socket;
use super::super::thread_wait;
use super::{Answered, Asked, KindEntry};

/// Its entry.
pub(super) const KIND: KindEntry = KindEntry {
    kind: CheckKind::Tcp,
    check: |asked| -> Answered<'_> { Box::pin(check(asked)) },
};

/// The most bytes of an answer that are read.
const MOST_BYTES: usize = 64 << 10;

/// How long before the end of the check what came is judged as it is.
const MARGIN: Duration = Duration::from_millis(20);

async fn check(asked: Asked<'_>) -> Result<String, Failure> {
    let mut stream = asked.connect(false).await?;
    let options = asked.spec.options();
    if let Some(text) = options.send.as_ref().map(MaskedText::expose) {
        let written = stream.socket.write_all(text.as_bytes()).await;
        written.map_err(|error| asked.broke(error))?;
    }
    let Some(expected) = &options.expect else {
        return Ok("connected".to_owned());
    };
    let mut came = Vec::new();
    let first_missing = |came: &[u8]| {
        let mut texts = expected.texts().iter();
        texts.find(|text| !contains(came, text.as_bytes())).cloned()
    };
    loop {
        let Some(missing) = first_missing(&came) else {
            return Ok("connected, and what is expected came".to_owned());
        };
        if came.len() >= MOST_BYTES {
            let why = format!("{missing:?} is not in the first 64 KiB that came");
            return Err(Failure::new(Reason::Content, why));
        }
        match read(&mut stream.socket, &mut came, asked.deadline).await {
            // Whoever says nothing at all is waited for to the end.
            None if came.is_empty() => std::future::pending().await,
            None => return Err(unexpected(&missing, &came)),
            Some(Ok(0)) if came.is_empty() => {
                let why = "the server closed the connection without a word";
                return Err(Failure::new(Reason::Closed, why));
            }
            Some(Ok(0)) => return Err(unexpected(&missing, &came)),
            Some(Ok(_)) => asked.timings.answered(),
            Some(Err(error)) => return Err(asked.broke(error)),
        }
    }
}

/// Reads what comes next; `None` shortly before the end of the check.
async fn read(
    socket: &mut Socket,
    came: &mut Vec<u8>,
    deadline: Instant,
) -> Option<std::io::Result<usize>> {
    let soon = deadline.checked_sub(MARGIN).unwrap_or(deadline);
    let room = MOST_BYTES.saturating_sub(came.len());
    let mut limited = socket.take(room as u64);
    let reading = std::pin::pin!(limited.read_buf(came));
    thread_wait::before(soon, reading).await
}

fn unexpected(missing: &str, came: &[u8]) -> Failure {
    let came = clean(&String::from_utf8_lossy(came), 200);
    let why = format!("expected {missing:?}, got {came:?}");
    Failure::new(Reason::Content, why)
}

/// Whether `text` stands somewhere in `bytes`.
fn contains(bytes: &[u8], text: &[u8]) -> bool {
    memmem::find(bytes, text).is_some()
}
