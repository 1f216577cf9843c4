//! Writes to the terminal from a thread of its own: a line that stalls delays frames, and
//! no check.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The writing end of a terminal.
#[derive(Debug)]
pub(crate) struct TerminalWriter {
    pieces: Sender<Vec<u8>>,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Pieces that are not written yet.
    behind: usize,
    failed: Option<Failed>,
}

/// How a write failed: the system's number, which says more than the kind, where there is
/// one.
#[derive(Clone, Copy, Debug)]
struct Failed(io::ErrorKind, Option<i32>);

impl From<Failed> for io::Error {
    fn from(Failed(kind, number): Failed) -> Self {
        number.map_or_else(|| kind.into(), Self::from_raw_os_error)
    }
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TerminalWriter {
    /// Starts the thread. It ends with this handle, once it has written what it was given.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn start(out: File) -> io::Result<Self> {
        let (pieces, inbox) = channel();
        let progress = Arc::new(Progress::default());
        let theirs = Arc::clone(&progress);
        std::thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || write(out, &inbox, &theirs))?;
        Ok(Self { pieces, progress })
    }

    /// Hands over bytes to be written in one piece, after those before.
    ///
    /// # Errors
    /// What an earlier write ended in.
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

    /// Whether the terminal has not taken yet what it was sent.
    pub(crate) fn is_behind(&self) -> bool {
        self.progress.lock().behind > 0
    }

    /// Waits until everything is written; `false` if that takes longer than `patience`.
    pub(crate) fn drain(&self, patience: Duration) -> bool {
        let waited =
            self.progress
                .changed
                .wait_timeout_while(self.progress.lock(), patience, |state| {
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
            // Nobody will write the rest: whoever asks is to come and hear of the failure.
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
