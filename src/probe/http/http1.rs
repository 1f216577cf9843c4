//! HTTP/1.1 on a connection (RFC 9112).

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};

use super::super::path::Stream;
use super::super::phase_timings::PhaseTimings;
use super::exchange_error::ExchangeError;
use super::head::{self, Head, HeadEnd};
use super::head_memory::{HeadMemory, MOST_HEAD};
use super::request::HttpRequest;
use super::transfer::Transfer;

/// The bytes of a head that take no room in the memory for large ones.
const USUAL_HEAD: usize = 16 * 1024;

/// The most that all interim answers (1xx) may take, in bytes.
const MOST_INTERIM: usize = 64 * 1024;

/// The most that is read at once, in bytes. It is on the stack and not in the check: while
/// nothing comes, a check holds no buffer.
const PIECE: usize = 8 * 1024;

/// Sends the request and reads the head of its answer.
pub(super) async fn ask(
    mut stream: Stream,
    request: &HttpRequest<'_>,
    memory: &HeadMemory,
    timings: &Arc<PhaseTimings>,
) -> Result<(Head, Http1Body), ExchangeError> {
    // A server may answer before it has read the request, and close: the answer counts.
    let mut unwritten = write(&mut stream, request).await.err();
    let mut read = Vec::new();
    let mut interim = 0;
    let mut room = None;
    let mut end = HeadEnd::default();
    loop {
        if let Some(length) = end.find(&read) {
            let head = head::read(&read[..length], &request.spec.assertions().header)?;
            if room.is_some() {
                // The memory of a large head goes with its room.
                read = read[length..].to_vec();
            } else {
                read.drain(..length);
            }
            if !head.status.is_informational() || head.status.as_u16() == 101 {
                let transfer = Transfer::of(&head, request.method)?;
                let body = Http1Body {
                    stream,
                    read,
                    transfer,
                };
                return Ok((head, body));
            }
            interim += length;
            if interim > MOST_INTERIM {
                return Err(ExchangeError::Endless);
            }
            end = HeadEnd::default();
            continue;
        }
        if !head::may_begin_with(&read) {
            return Err(ExchangeError::NotHttp);
        }
        if read.len() >= MOST_HEAD {
            return Err(ExchangeError::LargeHead);
        }
        if read.len() > USUAL_HEAD && room.is_none() {
            room = memory.clone().room(Arc::clone(timings)).await;
            // Growing by doubling would take twice of what there is room for.
            read.reserve_exact(MOST_HEAD - read.len());
        }
        let most = MOST_HEAD - read.len();
        match poll_fn(|context| poll_fill(&mut stream, &mut read, most, context)).await {
            Ok(0) => {
                return Err(unwritten
                    .take()
                    .map_or(ExchangeError::Incomplete, ExchangeError::Io));
            }
            Ok(_) => {}
            Err(error) => return Err(ExchangeError::Io(unwritten.take().unwrap_or(error))),
        }
    }
}

async fn write(stream: &mut Stream, request: &HttpRequest<'_>) -> io::Result<()> {
    let bytes = request.over_http1();
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Appends what is there, at most so many bytes; 0 at the end.
fn poll_fill(
    stream: &mut Stream,
    read: &mut Vec<u8>,
    most: usize,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut bytes = [const { MaybeUninit::uninit() }; PIECE];
    let mut piece = ReadBuf::uninit(&mut bytes[..most.min(PIECE)]);
    ready!(Pin::new(stream).poll_read(context, &mut piece))?;
    read.extend_from_slice(piece.filled());
    Poll::Ready(Ok(piece.filled().len()))
}

/// The body of an answer, as it comes.
pub(super) struct Http1Body {
    stream: Stream,
    /// What has come and is not taken.
    read: Vec<u8>,
    transfer: Transfer,
}

impl Http1Body {
    /// The next piece; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, ExchangeError> {
        loop {
            let piece = self.transfer.take(&mut self.read)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if self.transfer.is_done() {
                return Ok(None);
            }
            let (stream, read) = (&mut self.stream, &mut self.read);
            let more = poll_fn(|context| poll_fill(stream, read, PIECE, context)).await;
            match more.map_err(ExchangeError::Io)? {
                0 if self.transfer.ends_with_the_connection() => return Ok(None),
                0 => return Err(ExchangeError::Incomplete),
                _ => {}
            }
        }
    }
}
