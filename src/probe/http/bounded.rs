//! A connection for HTTP/2 that gives up on a server which never comes to the point.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::path::Stream;
use super::super::phase_timings::PhaseTimings;
use super::exchange_error::ExchangeError;
use super::head_memory::{HeadMemory, MOST_HEAD, Room};

/// All that a server may send before the head of its answer is complete: without room for a
/// large head, and with it.
const MOST_BEFORE_ANSWER: usize = 64 * 1024;
const MOST_WITH_ROOM: usize = MOST_BEFORE_ANSWER + 2 * MOST_HEAD;

/// The most that is read at once.
const PIECE: usize = 4 * 1024;

/// The number of bytes that a server may still send; shared by a connection and the code
/// that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Bound(Arc<AtomicUsize>);

impl Bound {
    /// The answer is here: what follows is its body.
    pub(super) fn lift(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }

    /// Why the exchange failed. HTTP/2 keeps no more of an error of its connection than the
    /// kind, so that the count is asked and not the error.
    pub(super) fn blame(&self, error: h2::Error) -> ExchangeError {
        if self.left() == 0 {
            ExchangeError::Endless
        } else {
            ExchangeError::Http2(error)
        }
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection with a limit on the bytes that its server may send, and on the memory that a
/// head in several frames takes.
pub(super) struct Bounded {
    io: Stream,
    left: Bound,
    frames: Frames,
    room: RoomState,
    /// What was read before there was room for it.
    held: Vec<u8>,
    memory: HeadMemory,
    timings: Arc<PhaseTimings>,
}

enum RoomState {
    /// The answer has needed no room of the shared budget yet.
    Unused,
    Waiting(Pin<Box<dyn Future<Output = Option<Room>> + Send>>),
    Taken(#[expect(dead_code, reason = "held until the connection ends")] Option<Room>),
}

impl Bounded {
    /// The bound, and the connection that keeps to it.
    pub(super) fn around(
        io: Stream,
        memory: HeadMemory,
        timings: Arc<PhaseTimings>,
    ) -> (Bound, Self) {
        let bound = Bound(Arc::new(AtomicUsize::new(MOST_BEFORE_ANSWER)));
        let bounded = Self {
            io,
            left: bound.clone(),
            frames: Frames::default(),
            room: RoomState::Unused,
            held: Vec::new(),
            memory,
            timings,
        };
        (bound, bounded)
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let RoomState::Waiting(room) = &mut this.room {
            let room = ready!(room.as_mut().poll(context));
            this.room = RoomState::Taken(room);
            let left = this
                .left
                .left()
                .saturating_add(MOST_WITH_ROOM - MOST_BEFORE_ANSWER);
            this.left.0.store(left, Ordering::Relaxed);
        }
        if !this.held.is_empty() {
            let count = this.held.len().min(buffer.remaining());
            buffer.put_slice(&this.held[..count]);
            this.held.drain(..count);
            return Poll::Ready(Ok(()));
        }
        let left = this.left.left();
        if left == usize::MAX {
            return Pin::new(&mut this.io).poll_read(context, buffer);
        }
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::Other.into()));
        }
        // Read through a buffer of our own: it bounds and counts, and heads are short.
        let mut bytes = [const { MaybeUninit::uninit() }; PIECE];
        let most = left.min(bytes.len()).min(buffer.remaining());
        let mut piece = ReadBuf::uninit(&mut bytes[..most]);
        ready!(Pin::new(&mut this.io).poll_read(context, &mut piece))?;
        let read = piece.filled();
        this.left.0.store(left - read.len(), Ordering::Relaxed);
        let unbounded = this.frames.pass(read);
        if unbounded && matches!(this.room, RoomState::Unused) {
            this.held.extend_from_slice(read);
            let room = this.memory.clone().room(Arc::clone(&this.timings));
            this.room = RoomState::Waiting(Box::pin(room));
            return self.poll_read(context, buffer);
        }
        buffer.put_slice(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
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

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// Follows the frames of a connection (RFC 9113 section 4.1): finds the head that goes on in
/// further frames, which is kept until it ends.
#[derive(Debug, Default)]
struct Frames {
    /// The beginning of a frame, as far as it has come.
    header: [u8; 9],
    known: usize,
    /// The bytes that are left of a frame.
    left: usize,
}

impl Frames {
    /// Whether a head that does not end in its frame begins in `bytes`.
    fn pass(&mut self, mut bytes: &[u8]) -> bool {
        const HEADERS: u8 = 1;
        const END_HEADERS: u8 = 4;
        let mut found = false;
        loop {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let [byte, rest @ ..] = bytes else {
                return found;
            };
            self.header[self.known] = *byte;
            self.known += 1;
            bytes = rest;
            if let (9, [high, middle, low, kind, flags, ..]) = (self.known, self.header) {
                self.known = 0;
                self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
                found |= kind == HEADERS && flags & END_HEADERS == 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_goes_on_is_found_however_the_frames_are_cut() {
        let settings = b"\0\0\x06\x04\0\0\0\0\0\x01\x01\x01\x01\x01\x01";
        let whole = b"\0\0\x01\x01\x05\0\0\0\x01\x88";
        let part = b"\0\0\x01\x01\x01\0\0\0\x01\x88";
        let wire = [&settings[..], whole, part].concat();
        for step in 1..wire.len() {
            let mut frames = Frames::default();
            let mut there = 0;
            let mut found_at = None;
            for piece in wire.chunks(step) {
                there += piece.len();
                if frames.pass(piece) && found_at.is_none() {
                    found_at = Some(there);
                }
            }
            let found_at = found_at.unwrap();
            assert!((34..34 + step).contains(&found_at), "{step}: {found_at}");
        }
        assert!(!Frames::default().pass(&[&settings[..], whole].concat()));
    }
}
