//! Writes to the terminal from a thread of its own, so that a stalled connection delays frames
//! and no check.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The handle of the thread that writes to the terminal.
#[derive(Debug)]
pub(crate) struct TerminalWriter {
    pieces: Sender<Vec<u8>>,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    state: Mutex<WriteState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct WriteState {
    /// The number of pieces that are not written yet.
    behind: usize,
    failed: Option<Failed>,
}

/// The error of a write: its kind, and the system's error number if it has one.
#[derive(Clone, Copy, Debug)]
struct Failed(io::ErrorKind, Option<i32>);

impl From<Failed> for io::Error {
    fn from(Failed(kind, number): Failed) -> Self {
        number.map_or_else(|| kind.into(), Self::from_raw_os_error)
    }
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, WriteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TerminalWriter {
    /// Starts the thread. It ends after this handle is dropped and all pieces are written.
    ///
    /// # Errors
    /// The system refuses to start a thread.
    pub(crate) fn start(out: File) -> io::Result<Self> {
        let (pieces, inbox) = channel();
        let progress = Arc::new(Progress::default());
        let theirs = Arc::clone(&progress);
        std::thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || write(out, &inbox, &theirs))?;
        Ok(Self { pieces, progress })
    }

    /// Queues bytes to be written in one piece.
    ///
    /// # Errors
    /// An earlier write failed.
    pub(crate) fn send(&self, piece: Vec<u8>) -> io::Result<()> {
        let mut state = self.progress.lock();
        if let Some(failed) = state.failed {
            return Err(failed.into());
        }
        state.behind += 1;
        drop(state);
        self.pieces
            .send(piece)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Whether a piece is not written yet.
    pub(crate) fn is_behind(&self) -> bool {
        self.progress.lock().behind > 0
    }

    /// Waits until everything is written or a write failed; `false` after `timeout`.
    pub(crate) fn drain(&self, timeout: Duration) -> bool {
        let waited =
            self.progress
                .changed
                .wait_timeout_while(self.progress.lock(), timeout, |state| {
                    state.behind > 0 && state.failed.is_none()
                });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.behind == 0 || state.failed.is_some()
    }
}

fn write(mut out: File, inbox: &Receiver<Vec<u8>>, progress: &Progress) {
    for piece in inbox {
        let written = out.write_all(&piece);
        let mut state = progress.lock();
        state.behind -= 1;
        if let Err(error) = written {
            state.failed = Some(Failed(error.kind(), error.raw_os_error()));
            // The rest is never written: waiting callers return and get the error.
            state.behind = 0;
        }
        let failed = state.failed.is_some();
        drop(state);
        progress.changed.notify_all();
        if failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_stalled_reader_holds_up_the_writer_and_nobody_else() {
        let (mut reader, writer) = io::pipe().unwrap();
        let writer = TerminalWriter::start(File::from(std::os::fd::OwnedFd::from(writer))).unwrap();
        // More than a pipe holds: the second piece waits behind it.
        let large = vec![b'a'; 1 << 20];
        writer.send(large.clone()).unwrap();
        writer.send(b"end".to_vec()).unwrap();
        assert!(writer.is_behind());
        assert!(!writer.drain(Duration::from_millis(1)));
        let mut read = vec![0; large.len() + 3];
        reader.read_exact(&mut read).unwrap();
        assert!(writer.drain(Duration::from_secs(60)));
        assert!(read.ends_with(b"aend"));
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error_of_the_next_piece() {
        let (reader, writer) = io::pipe().unwrap();
        let writer = TerminalWriter::start(File::from(std::os::fd::OwnedFd::from(writer))).unwrap();
        drop(reader);
        // However much was sent before the failure was known, none of it is waited for.
        while writer.send(b"x".to_vec()).is_ok() {}
        assert!(!writer.is_behind());
        assert!(writer.drain(Duration::from_secs(60)));
        assert_eq!(
            writer.send(b"y".to_vec()).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }
}
