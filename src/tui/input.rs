//! The input of the terminal: keys, pastes, sizes, focus, and the end of the terminal.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::key::Key;

/// One input of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalInput(pub(super) InputKind);

/// The kind of an input, with its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputKind {
    Key(Key),
    Paste(String),
    Resize(u16, u16),
    Focus(bool),
    /// The terminal was closed.
    Closed,
    /// An event without an action: a key outside of the table, the release of a key, a mouse.
    Other,
}

impl TerminalInput {
    /// The key with this name, as the help writes it: "q", "Enter", "Ctrl-C", "PgDn"; `None`
    /// for an unknown name.
    #[must_use]
    pub fn key(name: &str) -> Option<Self> {
        Key::named(name).map(|key| Self(InputKind::Key(key)))
    }

    /// A change of the terminal's size.
    #[must_use]
    pub const fn size(columns: u16, rows: u16) -> Self {
        Self(InputKind::Resize(columns, rows))
    }

    /// The end of the terminal.
    #[must_use]
    pub const fn closed() -> Self {
        Self(InputKind::Closed)
    }
}

impl From<Event> for TerminalInput {
    fn from(event: Event) -> Self {
        Self(match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                key_of(key).map_or(InputKind::Other, InputKind::Key)
            }
            Event::Resize(columns, rows) => InputKind::Resize(columns, rows),
            Event::FocusGained => InputKind::Focus(true),
            Event::FocusLost => InputKind::Focus(false),
            Event::Paste(text) => InputKind::Paste(text),
            Event::Key(_) | Event::Mouse(_) => InputKind::Other,
        })
    }
}

fn key_of(key: KeyEvent) -> Option<Key> {
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(match key.code {
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(c.to_ascii_lowercase())
        }
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Backspace | KeyCode::Delete => Key::Backspace,
        KeyCode::F(number) => Key::F(number),
        _ => return None,
    })
}

/// The stream of the terminal's input. Drop it before the terminal is handed to another
/// program: input without a stream is discarded.
#[derive(Debug)]
pub struct InputStream {
    inputs: UnboundedReceiver<io::Result<TerminalInput>>,
    hang_up: Arc<HangUp>,
}

impl InputStream {
    /// Starts to receive input.
    #[must_use]
    pub fn new() -> Self {
        let (listener, inputs) = unbounded_channel();
        listen(listener);
        Self {
            inputs,
            hang_up: hang_up(),
        }
    }

    /// The next input; `None` when there is no more. Cancellation safe: no input is lost when
    /// the future is dropped.
    ///
    /// # Errors
    /// The system refuses to read from the terminal, or to start the reading thread.
    pub async fn next(&mut self) -> Option<io::Result<TerminalInput>> {
        poll_fn(|context| {
            if self.hang_up.poll(context) {
                return Poll::Ready(Some(Ok(TerminalInput::closed())));
            }
            self.inputs.poll_recv(context)
        })
        .await
    }
}

impl Default for InputStream {
    fn default() -> Self {
        Self::new()
    }
}

type Listener = UnboundedSender<io::Result<TerminalInput>>;

/// The stream that the reading thread sends to.
static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

fn listener<T>(change: impl FnOnce(&mut Option<Listener>) -> T) -> T {
    change(&mut LISTENER.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Sends every input to `new` from now on.
///
/// One thread reads for as long as the process lives. crossterm reads from a closed terminal in
/// an endless loop without an error, which must not block a thread with other work; and its own
/// stream, when it is dropped and made again, can leave keys to the thread of the old one.
fn listen(new: Listener) {
    static READER: Once = Once::new();
    listener(|listener| *listener = Some(new));
    READER.call_once(|| {
        let reader = std::thread::Builder::new().name("keys".into());
        if let Err(error) = reader.spawn(read) {
            tell(Err(error));
        }
    });
}

fn read() {
    read_from(crossterm::event::read);
}

/// Tells of every event of `next` until it fails. A panic in it, over bytes that nobody
/// foresaw, is in the log; it costs what was typed with them and not the keyboard.
fn read_from(mut next: impl FnMut() -> io::Result<Event>) {
    loop {
        match catch_unwind(AssertUnwindSafe(&mut next)) {
            Ok(Ok(event)) => tell(Ok(event.into())),
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => return tell(Err(error)),
            Err(_panic) => {}
        }
    }
}

fn tell(input: io::Result<TerminalInput>) {
    listener(|listener| {
        if let Some(listener) = listener {
            // The stream may have been dropped: the input is discarded then.
            let _ = listener.send(input);
        }
    });
}

/// Whether the terminal was closed.
///
/// The thread that reads the keys gets no error then, so that another one waits in `poll(2)`.
/// It lives as long as the process: only the end of the terminal wakes it.
#[derive(Debug, Default)]
struct HangUp(Mutex<(bool, Option<Waker>)>);

impl HangUp {
    fn poll(&self, context: &Context<'_>) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.0 {
            seen.1 = Some(context.waker().clone());
        }
        seen.0
    }

    fn note(&self) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0 = true;
        if let Some(waker) = seen.1.take() {
            waker.wake();
        }
    }
}

fn hang_up() -> Arc<HangUp> {
    static WATCH: OnceLock<Arc<HangUp>> = OnceLock::new();
    let watch = WATCH.get_or_init(|| {
        let hang_up = Arc::new(HangUp::default());
        if let Some(terminal) = terminal() {
            let noted = Arc::clone(&hang_up);
            // Without a thread the end of the terminal is noticed by SIGHUP alone.
            let _ = std::thread::Builder::new()
                .name("squirrel-hangup".into())
                .spawn(move || {
                    if wait_for_hang_up(&terminal) {
                        noted.note();
                    }
                });
        }
        hang_up
    });
    Arc::clone(watch)
}

/// The terminal that keys are read from, chosen as crossterm does: standard input, else
/// `/dev/tty`.
fn terminal() -> Option<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        stdin.as_fd().try_clone_to_owned().ok()
    } else {
        File::open("/dev/tty").ok().map(OwnedFd::from)
    }
}

/// Blocks until the other end of `terminal` is closed; `false` if it cannot be polled.
fn wait_for_hang_up(terminal: &OwnedFd) -> bool {
    loop {
        // Without events of its own poll still reports POLLHUP and POLLERR.
        let mut watched = [PollFd::new(terminal, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => {
                let events = watched[0].revents();
                if events.contains(PollFlags::NVAL) {
                    return false;
                }
                if events.intersects(PollFlags::HUP | PollFlags::ERR) {
                    return true;
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn keys_are_what_is_printed_on_them() {
        let event =
            |code, modifiers| TerminalInput::from(Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        for (input, name) in [
            (event(KeyCode::Char('G'), KeyModifiers::SHIFT), "G"),
            (event(KeyCode::Char('c'), KeyModifiers::CONTROL), "Ctrl-C"),
            (event(KeyCode::Char(' '), none), "Space"),
            (event(KeyCode::F(2), none), "F2"),
            (event(KeyCode::Delete, none), "Backspace"),
        ] {
            assert_eq!(Some(input), TerminalInput::key(name), "{name}");
        }
        assert_eq!(
            event(KeyCode::Char('q'), KeyModifiers::ALT).0,
            InputKind::Other
        );
        assert_eq!(event(KeyCode::Insert, none).0, InputKind::Other);
    }

    #[test]
    fn a_panic_over_some_bytes_does_not_take_the_keyboard_away() {
        let (sender, mut inputs) = unbounded_channel();
        listener(|listener| *listener = Some(sender));
        let mut calls = 0;
        read_from(|| {
            calls += 1;
            match calls {
                1 => panic!("over some bytes"),
                2 => Ok(Event::FocusGained),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        });
        let focus = inputs.try_recv().unwrap().unwrap();
        assert_eq!(focus.0, InputKind::Focus(true));
        assert!(inputs.try_recv().unwrap().is_err());
    }

    #[test]
    fn a_closed_terminal_is_noticed() {
        let pair = portable_pty::native_pty_system()
            .openpty(portable_pty::PtySize::default())
            .unwrap();
        let name = pair.master.tty_name().unwrap();
        // Without NOCTTY the test runner would get a controlling terminal.
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let terminal = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        let hang_up = Arc::new(HangUp::default());
        let noted = Arc::clone(&hang_up);
        let waiting = std::thread::spawn(move || {
            assert!(wait_for_hang_up(&terminal));
            noted.note();
        });
        let context = Context::from_waker(Waker::noop());
        assert!(!hang_up.poll(&context));
        drop(pair);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !hang_up.poll(&context) {
            assert!(Instant::now() < deadline, "the end was not noticed");
            std::thread::yield_now();
        }
        waiting.join().unwrap();
    }
}
