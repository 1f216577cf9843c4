//! The real binary in a real pseudo-terminal.

use std::io::{Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;

use super::Squirrel;
use super::processes::{PATIENCE, send, until};
use super::tape::{Frame, Heard, Tape};

struct Shared {
    tape: Mutex<Tape>,
    news: Condvar,
    /// Our end of the terminal is to be closed.
    closing: AtomicBool,
    /// Nothing is read, as by a connection that hangs.
    stalled: AtomicBool,
}

/// A terminal with the program in it; the program is killed when this is dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    pid: u32,
    /// The exit status, once it is known.
    status: Option<u32>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    shared: Arc<Shared>,
    /// The frame that the last wait ended at: the next one goes on from there, so that
    /// nothing is missed that came and went.
    place: usize,
    modes_before: String,
}

fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Terminal {
    /// Starts the program in a terminal of `size` (columns, rows).
    pub(crate) fn start<'a>(
        squirrel: &Squirrel,
        size: (u16, u16),
        args: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::start_in(squirrel, size, &[], args)
    }

    /// The same with further variables in its environment.
    pub(crate) fn start_in<'a>(
        squirrel: &Squirrel,
        size: (u16, u16),
        environment: &[(&str, &str)],
        args: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let words = squirrel.words(args);
        let mut command = CommandBuilder::new(&words[0]);
        command.args(&words[1..]);
        command.cwd(squirrel.dir());
        command.env_clear();
        for (name, value) in squirrel.surroundings() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        for (name, value) in environment {
            command.env(name, value);
        }
        let modes_before = modes(&*pair.master);
        let shared = Arc::new(Shared {
            tape: Mutex::new(Tape::new(size)),
            news: Condvar::new(),
            closing: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        // While we hold the program's end as well, the reader would never see the end.
        drop(pair.slave);
        let writer = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let count = reader.read(&mut buffer).unwrap_or(0);
                let stalled = |_: &mut Tape| writer.stalled.load(Ordering::SeqCst);
                let tape = writer.tape.lock().unwrap();
                let mut tape = writer.news.wait_while(tape, stalled).unwrap();
                if count == 0 || writer.closing.load(Ordering::SeqCst) {
                    // Our end is closed before anybody is told.
                    drop(reader);
                    tape.over = true;
                    writer.news.notify_all();
                    return;
                }
                tape.record(&buffer[..count]);
                writer.news.notify_all();
            }
        });
        Self {
            pid: child.process_id().unwrap(),
            child,
            status: None,
            writer: Some(pair.master.take_writer().unwrap()),
            master: Some(pair.master),
            shared,
            place: 0,
            modes_before,
        }
    }

    /// The process id of what was started.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn tape(&self) -> MutexGuard<'_, Tape> {
        self.shared.tape.lock().unwrap()
    }

    /// What was heard so far, beside the picture.
    pub(crate) fn heard<T>(&self, ask: impl FnOnce(&Heard) -> T) -> T {
        ask(self.tape().heard())
    }

    /// Waits until `wanted` has come, in the picture or beside it.
    pub(crate) fn wait_for(&mut self, what: &str, wanted: impl Fn(&Tape) -> bool) {
        self.watch(what, |tape, _| wanted(tape).then_some(0));
    }

    /// Waits for a frame that satisfies the condition, and gives it.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let place = self.watch(what, |tape, from| {
            let frames = tape.frames[from..].iter();
            frames.into_iter().position(&wanted).map(|at| from + at)
        });
        self.place = place;
        self.tape().frames[place].clone()
    }

    /// Waits for a frame that holds `text`.
    #[track_caller]
    pub(crate) fn wait_text(&mut self, text: &str) -> Frame {
        self.wait(text, |frame| frame.has(text))
    }

    #[track_caller]
    fn watch(&self, what: &str, found: impl Fn(&Tape, usize) -> Option<usize>) -> usize {
        let began = Instant::now();
        let mut from = self.place;
        let mut tape = self.tape();
        loop {
            if let Some(place) = found(&tape, from) {
                return place;
            }
            // Frames that were examined once are not examined again.
            from = from.max(tape.frames.len() - 1);
            let left = PATIENCE.saturating_sub(began.elapsed());
            if tape.over || left.is_zero() {
                let over = if tape.over {
                    "it is over"
                } else {
                    "time is up"
                };
                let last = tape.frames.last().map(Frame::text).unwrap_or_default();
                drop(tape);
                panic!("{over}, and never came: {what}\n{last}\n");
            }
            tape = self.shared.news.wait_timeout(tape, left).unwrap().0;
        }
    }

    /// The newest frame.
    pub(crate) fn frame(&self) -> Frame {
        self.tape().frames.last().cloned().unwrap_or_default()
    }

    /// Presses one key by the name that the help gives it, or types a text.
    pub(crate) fn press(&mut self, key: &str) {
        let bytes = match key {
            "Enter" => "\r",
            "Esc" => "\x1b",
            "Space" => " ",
            "Backspace" => "\x7f",
            "Up" => "\x1b[A",
            "Down" => "\x1b[B",
            "Left" => "\x1b[D",
            "F1" => "\x1bOP",
            "F2" => "\x1bOQ",
            "F3" => "\x1bOR",
            "F4" => "\x1bOS",
            "F5" => "\x1b[15~",
            "End" => "\x1b[F",
            "Home" => "\x1b[H",
            "PgDn" => "\x1b[6~",
            "Ctrl-C" => "\x03",
            "Ctrl-L" => "\x0c",
            "Ctrl-U" => "\x15",
            "Ctrl-Z" => "\x1a",
            text => text,
        };
        // What was on the screen before is no answer to the key.
        let newest = self.tape().frames.len() - 1;
        self.place = newest;
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(bytes.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Types parts of what a terminal sends at once, with this pause between two of them.
    pub(crate) fn type_parted(&mut self, parts: &[&str], pause: Duration) {
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                std::thread::sleep(pause);
            }
            self.press(part);
        }
    }

    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.tape().resize(size);
        let master = self.master.as_ref().unwrap();
        master.resize(pty_size(size)).unwrap();
    }

    /// Reads nothing any more, or goes on: the program's writes block once what the system
    /// keeps is full.
    pub(crate) fn stall(&self, stalled: bool) {
        let _tape = self.tape();
        self.shared.stalled.store(stalled, Ordering::SeqCst);
        self.shared.news.notify_all();
    }

    /// Sends a signal to what was started.
    pub(crate) fn signal(&self, signal: Signal) {
        send(self.pid, signal);
    }

    /// Closes our end, as a window that is closed does.
    pub(crate) fn close(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // The reader holds our end as well: it is woken when something is drawn, and a
        // change of size is drawn at once.
        self.resize((90, 30));
        self.writer = None;
        self.master = None;
        self.wait_for("our end to be closed", |tape| tape.over);
    }

    /// Waits for the end of what was started and of what it wrote; its exit status.
    pub(crate) fn finish(&mut self) -> u32 {
        until("the end of the program", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.status = Some(match status.signal() {
                    Some(signal) => panic!("ended by {signal}\n{}", self.frame().text()),
                    None => status.exit_code(),
                });
            }
            self.status.is_some()
        });
        self.wait_for("the end of the output", |tape| tape.over);
        self.status.unwrap()
    }

    /// The modes that the terminal is in, to be compared.
    pub(crate) fn modes(&self) -> String {
        modes(&**self.master.as_ref().unwrap())
    }

    /// Whether the terminal is in the modes that it was in before the program began.
    pub(crate) fn has_its_modes_back(&self) -> bool {
        self.modes() == self.modes_before
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.status.is_none() {
            // Reaped below, so the id is still its own.
            send(self.pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// The modes of a terminal, in words that can be compared.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
