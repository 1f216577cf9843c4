//! Reads the terminal on a thread of its own, and hands its inputs on as a stream.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};
use std::task::Poll;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::input::{InputKind, TerminalInput};
use super::input_parser::InputParser;
use super::terminal_modes::{keyboard, size};

/// How long an Esc waits for the rest of a sequence before it is a key.
const HOLD: Duration = Duration::from_millis(50);
/// The same over ssh, where the two may come in two packets.
const REMOTE_HOLD: Duration = Duration::from_millis(100);

/// The stream of the terminal's input. Drop it before the terminal is handed to another
/// program: input without a stream is discarded.
#[derive(Debug)]
pub struct InputStream {
    inputs: UnboundedReceiver<io::Result<TerminalInput>>,
    /// SIGWINCH: the terminal has another size.
    resized: Signal,
}

impl InputStream {
    /// Starts to receive input; `remote` if it comes over ssh. To be called within a runtime.
    ///
    /// # Errors
    /// The system delivers no signals.
    pub fn new(remote: bool) -> io::Result<Self> {
        let (listener, inputs) = unbounded_channel();
        let resized = signal(SignalKind::window_change())?;
        listen(listener, remote);
        Ok(Self { inputs, resized })
    }

    /// The next input; `None` when there is no more. Cancellation safe: no input is lost when
    /// the future is dropped.
    ///
    /// # Errors
    /// The system refuses to read from the terminal, or to start the reading thread.
    pub async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        poll_fn(|context| {
            if let Poll::Ready(input) = self.inputs.poll_recv(context) {
                return Poll::Ready(input);
            }
            let resized = self.resized.poll_recv(context);
            resized.map(|_| {
                let (columns, rows) = size();
                Some(Ok(TerminalInput::size(columns, rows)))
            })
        })
        .await
    }
}

type Listener = UnboundedSender<io::Result<TerminalInput>>;

/// Who listens to the reading thread.
struct Reading {
    listener: Option<Listener>,
    /// The terminal was closed: nobody reads any more.
    closed: bool,
}

static READING: Mutex<Reading> = Mutex::new(Reading {
    listener: None,
    closed: false,
});

fn reading<T>(change: impl FnOnce(&mut Reading) -> T) -> T {
    change(&mut READING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Sends every input to `new` from now on. One thread reads for as long as the process lives:
/// two readers would take keys from each other, and one that waits cannot be ended.
fn listen(new: Listener, remote: bool) {
    static READER: Once = Once::new();
    reading(|reading| {
        if reading.closed {
            let _ = new.send(Ok(TerminalInput::closed()));
        }
        reading.listener = Some(new);
    });
    READER.call_once(|| {
        let hold = if remote { REMOTE_HOLD } else { HOLD };
        let reader = std::thread::Builder::new().name("keys".into());
        let read = move || {
            let ended = keyboard().and_then(|keyboard| read(&keyboard, hold, tell));
            if let Err(error) = ended {
                tell_stream(Err(error));
            }
        };
        if let Err(error) = reader.spawn(read) {
            tell_stream(Err(error));
        }
    });
}

fn tell(kind: InputKind) {
    tell_stream(Ok(TerminalInput(kind)));
}

fn tell_stream(input: io::Result<TerminalInput>) {
    reading(|reading| {
        reading.closed |= matches!(input, Ok(TerminalInput(InputKind::Closed)));
        if let Some(listener) = &reading.listener {
            // The stream may have been dropped: the input is discarded then.
            let _ = listener.send(input);
        }
    });
}

/// Reads from the terminal until it is closed, which is told as well.
fn read(terminal: &OwnedFd, hold: Duration, mut tell: impl FnMut(InputKind)) -> io::Result<()> {
    let mut parser = InputParser::new(hold);
    let mut bytes = [0; 4096];
    loop {
        let wait = parser.waits().map(|wait| Timespec {
            tv_sec: wait.as_secs().cast_signed(),
            tv_nsec: wait.subsec_nanos().into(),
        });
        let mut watched = [PollFd::new(terminal, PollFlags::IN)];
        match poll(&mut watched, wait.as_ref()) {
            Ok(0) => {
                let inputs = guarded(&mut parser, hold, InputParser::timeout);
                inputs.into_iter().for_each(&mut tell);
            }
            Ok(_) => match rustix::io::read(terminal, &mut bytes) {
                // At its end a terminal has nothing to read, or fails.
                Ok(0) | Err(Errno::IO) => {
                    tell(InputKind::Closed);
                    return Ok(());
                }
                Ok(count) => {
                    let read = |parser: &mut InputParser| parser.feed(&bytes[..count]);
                    let inputs = guarded(&mut parser, hold, read);
                    inputs.into_iter().for_each(&mut tell);
                }
                // Whoever shares the terminal may have made it non-blocking.
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            },
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a step of the parser gives. A panic in it, over bytes that nobody foresaw, is in the log;
/// it costs what was typed with them and not the keyboard.
fn guarded(
    parser: &mut InputParser,
    hold: Duration,
    step: impl FnOnce(&mut InputParser) -> Vec<InputKind>,
) -> Vec<InputKind> {
    catch_unwind(AssertUnwindSafe(|| step(&mut *parser))).unwrap_or_else(|_panic| {
        *parser = InputParser::new(hold);
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;

    /// What is read of a terminal on which `write` types and which is closed afterwards.
    fn typed(write: impl FnOnce(&mut dyn io::Write)) -> Vec<InputKind> {
        let pair = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .unwrap();
        let name = pair.master.tty_name().unwrap();
        // Without NOCTTY the test runner would get a controlling terminal.
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let terminal = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        let mut modes = rustix::termios::tcgetattr(&terminal).unwrap();
        modes.make_raw();
        rustix::termios::tcsetattr(&terminal, rustix::termios::OptionalActions::Now, &modes)
            .unwrap();
        let (speaker, inputs) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            read(&terminal, HOLD, |input| speaker.send(input).unwrap()).unwrap();
        });
        let mut writer = pair.master.take_writer().unwrap();
        write(&mut *writer);
        // What was typed has to be read before the end of the terminal throws it away.
        let mut read = Vec::new();
        while read.last() != Some(&InputKind::Key(Key::Char('q'))) {
            read.push(inputs.recv_timeout(Duration::from_secs(20)).unwrap());
        }
        drop(writer);
        drop(pair);
        read.extend(inputs);
        reader.join().unwrap();
        read
    }

    #[test]
    fn a_panic_over_some_bytes_does_not_take_the_keyboard_away() {
        let mut parser = InputParser::new(HOLD);
        let lost = guarded(&mut parser, HOLD, |parser| {
            parser.feed(b"\x1b]0;");
            panic!("over some bytes")
        });
        assert_eq!(lost, []);
        let read = guarded(&mut parser, HOLD, |parser| parser.feed(b"q"));
        assert_eq!(read, [InputKind::Key(Key::Char('q'))]);
    }

    #[test]
    fn a_closed_terminal_is_noticed() {
        let inputs = typed(|keyboard| keyboard.write_all(b"\x1b[Bq").unwrap());
        let keys = [Key::Down, Key::Char('q')].map(InputKind::Key);
        assert!(inputs.starts_with(&keys), "{inputs:?}");
        assert_eq!(inputs.last(), Some(&InputKind::Closed));
    }

    #[test]
    fn a_lone_esc_is_a_key_although_nothing_follows() {
        let mut inputs = typed(|keyboard| {
            keyboard.write_all(b"\x1b").unwrap();
            std::thread::sleep(3 * HOLD);
            keyboard.write_all(b"q").unwrap();
        });
        assert_eq!(inputs.remove(0), InputKind::Key(Key::Esc));
    }
}
