//! Lines for a reader who may stall or go away, written by a thread of its own: whoever sends
//! them never waits. What finds no room is dropped, counted, and told to the reader when it
//! goes on.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::watch;

/// The most bytes of lines that wait for the reader.
const ROOM: usize = 4 << 20;

/// The most that lines of little weight may fill, so that there is room for those that matter.
const ROOM_OF_MINOR: usize = ROOM / 2;

/// The delay after a disk that is full.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What a line is worth to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One of very many, such as a check: dropped first.
    Minor,
    /// A line that tells of a change.
    Major,
}

/// The handle of the thread, which ends when this is dropped and everything is written.
#[derive(Debug)]
pub struct LineWriter {
    shared: Arc<Shared>,
    gone: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<WriteState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct WriteState {
    /// Whole lines, in their order.
    waiting: Vec<u8>,
    /// The lines that found no room since the thread took the last ones.
    lost: u64,
    writing: bool,
    /// Nothing more is sent.
    closed: bool,
    /// Nobody reads any more.
    gone: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, WriteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LineWriter {
    /// Starts the thread, called `name`. `lost` makes the line that tells the reader how many
    /// lines are missing; `stuck` is called once for each time in which the disk behind `out` is
    /// full.
    ///
    /// # Errors
    /// If the system refuses the thread.
    pub fn start(
        name: &str,
        out: File,
        lost: impl Fn(u64) -> String + Send + 'static,
        stuck: impl Fn(&io::Error) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let (tell, gone) = watch::channel(false);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                write(out, &theirs, &lost, &stuck);
                tell.send_replace(true);
            })?;
        Ok(Self { shared, gone })
    }

    /// Queues a line, given without its end. Never waits.
    pub fn send(&self, line: &str, weight: Weight) {
        let mut state = self.shared.lock();
        if state.gone {
            return;
        }
        let room = match weight {
            Weight::Minor => ROOM_OF_MINOR,
            Weight::Major => ROOM,
        };
        if state.waiting.len() + line.len() >= room {
            state.lost += 1;
            return;
        }
        state.waiting.extend_from_slice(line.as_bytes());
        state.waiting.push(b'\n');
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Returns when the reader is gone: what is sent after that is read by nobody.
    pub async fn gone(&mut self) {
        // The thread says so in the end, or has ended.
        let _ended = self.gone.wait_for(|gone| *gone).await;
    }

    /// Waits until everything is written, or for `timeout`; whether it was.
    pub fn finish(&self, timeout: Duration) -> bool {
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), timeout, |state| {
                !state.gone && (state.writing || state.lost > 0 || !state.waiting.is_empty())
            });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !state.gone && !state.writing && state.waiting.is_empty()
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

fn write(mut out: File, shared: &Shared, lost: &dyn Fn(u64) -> String, stuck: &dyn Fn(&io::Error)) {
    loop {
        let mut state = shared.lock();
        state.writing = false;
        shared.changed.notify_all();
        let idle =
            |state: &mut WriteState| state.waiting.is_empty() && state.lost == 0 && !state.closed;
        let waited = shared.changed.wait_while(state, idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() && state.lost == 0 {
            return;
        }
        let mut lines = std::mem::take(&mut state.waiting);
        let missing = std::mem::take(&mut state.lost);
        state.writing = true;
        drop(state);
        if missing > 0 {
            lines.extend_from_slice(lost(missing).as_bytes());
            lines.push(b'\n');
        }
        if let Err(error) = write_all(&mut out, &lines, stuck) {
            tracing::warn!("nobody reads what is written: {error}");
            let mut state = shared.lock();
            *state = WriteState {
                gone: true,
                ..WriteState::default()
            };
            drop(state);
            shared.changed.notify_all();
            return;
        }
    }
}

/// Writes everything, however long the reader takes; an error if there is none any more. A disk
/// that is full is a reader who stalls.
fn write_all(out: &mut File, mut bytes: &[u8], stuck: &dyn Fn(&io::Error)) -> io::Result<()> {
    let mut is_stuck = false;
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(count) => {
                is_stuck = false;
                bytes = &bytes[count..];
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                // Somebody else who has the same pipe made it non-blocking.
                ErrorKind::WouldBlock => wait_for_room(out),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    if !std::mem::replace(&mut is_stuck, true) {
                        stuck(&error);
                    }
                    std::thread::sleep(RETRY_DELAY);
                }
                _ => return Err(error),
            },
        }
    }
    Ok(())
}

fn wait_for_room(out: &File) {
    let mut polled = [PollFd::from_borrowed_fd(out.as_fd(), PollFlags::OUT)];
    let timeout = Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    // Whatever it says, the next write shows what is so.
    let _ready = poll(&mut polled, Some(&timeout));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, PipeReader, Read as _};
    use std::os::fd::OwnedFd;

    const LONG: Duration = Duration::from_secs(60);

    fn start() -> (PipeReader, LineWriter) {
        let (reader, writer) = io::pipe().unwrap();
        let out = File::from(OwnedFd::from(writer));
        let lost = |count| format!("{count} missing");
        (
            reader,
            LineWriter::start("lines", out, lost, |_| {}).unwrap(),
        )
    }

    #[test]
    fn what_a_stalled_reader_missed_is_counted_and_told_where_it_is_missing() {
        let (mut reader, lines) = start();
        // More than the pipe holds: the thread stands in its writing once the first byte came,
        // and takes nothing of what follows before somebody reads on.
        lines.send(&format!(".{}", "s".repeat(1 << 20)), Weight::Major);
        reader.read_exact(&mut [0]).unwrap();
        let long = "x".repeat(1_000);
        for _ in 0..20_000 {
            lines.send(&long, Weight::Minor);
        }
        for number in 0..100 {
            lines.send(&format!("change {number}"), Weight::Major);
        }
        assert!(!lines.finish(Duration::from_millis(1)));
        let mut read = BufReader::new(reader).lines().map(Result::unwrap);
        assert_eq!(read.next().unwrap().len(), 1 << 20);
        let mut whole = 0;
        let mut changes = 0;
        let missing = loop {
            let line = read.next().unwrap();
            if line == long {
                whole += 1;
            } else if line == format!("change {changes}") {
                changes += 1;
            } else {
                break line;
            }
        };
        assert_eq!(changes, 100, "there is room for changes");
        assert_eq!(missing, format!("{} missing", 20_000 - whole));
        lines.send("after", Weight::Minor);
        assert_eq!(read.next().unwrap(), "after");
        assert!(lines.finish(LONG));
    }

    #[test]
    fn the_room_for_changes_has_a_bound_as_well() {
        let (reader, lines) = start();
        let long = "x".repeat(1_000);
        for _ in 0..50_000 {
            lines.send(&long, Weight::Major);
        }
        assert!(lines.shared.lock().waiting.len() <= ROOM);
        drop(lines);
        let read: Vec<String> = BufReader::new(reader).lines().map(Result::unwrap).collect();
        let (told, whole): (Vec<_>, Vec<_>) = read.iter().partition(|line| **line != long);
        let lost = told.iter().map(|line| line.split(' ').next().unwrap());
        let lost: usize = lost.map(|lost| lost.parse::<usize>().unwrap()).sum();
        assert!(lost > 0);
        assert_eq!(whole.len() + lost, 50_000);
    }

    #[test]
    fn a_reader_that_goes_away_is_told_at_the_next_line() {
        let (reader, mut lines) = start();
        drop(reader);
        lines.send("nobody", Weight::Major);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(lines.gone());
        assert!(!lines.finish(LONG));
    }

    #[test]
    fn a_pipe_that_somebody_made_non_blocking_loses_nothing() {
        let (mut reader, writer) = io::pipe().unwrap();
        rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
        let out = File::from(OwnedFd::from(writer));
        let lines =
            LineWriter::start("lines", out, |count| format!("{count} missing"), |_| {}).unwrap();
        let line = "y".repeat(1_000_000);
        lines.send(&line, Weight::Major);
        drop(lines);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read.trim_end(), line);
    }
}
