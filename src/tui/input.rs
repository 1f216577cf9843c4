//! What comes from the terminal: keys, sizes, focus, and that it is gone.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::key::Key;

/// Something that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input(pub(super) What);

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Key(Key),
    Paste(String),
    Resize(u16, u16),
    Focus(bool),
    /// The terminal is gone.
    Closed,
    /// A key that no table knows, or its release.
    Other,
}

impl Input {
    /// The key of that name, as the help writes it: "q", "Enter", "Ctrl-C", "PgDn".
    #[must_use]
    pub fn key(name: &str) -> Option<Self> {
        Key::named(name).map(|key| Self(What::Key(key)))
    }

    /// The terminal has so many columns and rows now.
    #[must_use]
    pub const fn size(columns: u16, rows: u16) -> Self {
        Self(What::Resize(columns, rows))
    }

    /// The terminal is gone.
    #[must_use]
    pub const fn closed() -> Self {
        Self(What::Closed)
    }
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        Self(match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                key_of(key).map_or(What::Other, What::Key)
            }
            Event::Resize(columns, rows) => What::Resize(columns, rows),
            Event::FocusGained => What::Focus(true),
            Event::FocusLost => What::Focus(false),
            Event::Paste(text) => What::Paste(text),
            Event::Key(_) | Event::Mouse(_) => What::Other,
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

/// The terminal's input, for as long as the screen is ours. Drop it before the terminal
/// is handed to somebody else: whatever comes while there is none is nobody's.
#[derive(Debug)]
pub struct InputStream {
    inputs: UnboundedReceiver<io::Result<Input>>,
    hang_up: Arc<HangUp>,
}

impl InputStream {
    /// Begins to read.
    #[must_use]
    pub fn new() -> Self {
        let (listener, inputs) = unbounded_channel();
        listen(listener);
        Self {
            inputs,
            hang_up: hang_up(),
        }
    }

    /// The next input; `None` when there is no more. May be dropped and called again:
    /// nothing gets lost.
    ///
    /// # Errors
    /// Whatever reading the terminal gives.
    pub async fn next(&mut self) -> Option<io::Result<Input>> {
        poll_fn(|context| {
            if self.hang_up.poll(context) {
                return Poll::Ready(Some(Ok(Input::closed())));
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

type Listener = UnboundedSender<io::Result<Input>>;

/// Whom the reading thread tells.
static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

fn listener<T>(change: impl FnOnce(&mut Option<Listener>) -> T) -> T {
    change(&mut LISTENER.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Tells `new` of every input from now on.
///
/// One thread reads for as long as the process lives. crossterm reads a dead terminal in a
/// loop that never ends and never tells, which must happen to no thread that has anything
/// else to do; and its own stream, dropped and made again, can leave its old thread in
/// possession of the keys.
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
    loop {
        match crossterm::event::read() {
            Ok(event) => tell(Ok(event.into())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return tell(Err(error)),
        }
    }
}

fn tell(input: io::Result<Input>) {
    listener(|listener| {
        if let Some(listener) = listener {
            // Whoever listened may have gone: then it is nobody's.
            let _ = listener.send(input);
        }
    });
}

/// Whether the terminal is gone.
///
/// The thread that reads the keys does not learn of it, so another one waits for the
/// system's word. It waits as long as the process lives, because
/// nothing wakes it but the end of the terminal.
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

/// The terminal that keys are read from, as crossterm chooses it.
fn terminal() -> Option<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        stdin.as_fd().try_clone_to_owned().ok()
    } else {
        File::open("/dev/tty").ok().map(OwnedFd::from)
    }
}

/// Waits until the other end of `terminal` is closed; `false` if that cannot be watched.
fn wait_for_hang_up(terminal: &OwnedFd) -> bool {
    loop {
        // Asking for nothing leaves the two conditions that are always told.
        let mut watched = [PollFd::new(terminal, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => {
                let told = watched[0].revents();
                if told.contains(PollFlags::NVAL) {
                    return false;
                }
                if told.intersects(PollFlags::HUP | PollFlags::ERR) {
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
        let event = |code, modifiers| Input::from(Event::Key(KeyEvent::new(code, modifiers)));
        let none = KeyModifiers::NONE;
        for (input, name) in [
            (event(KeyCode::Char('G'), KeyModifiers::SHIFT), "G"),
            (event(KeyCode::Char('c'), KeyModifiers::CONTROL), "Ctrl-C"),
            (event(KeyCode::Char(' '), none), "Space"),
            (event(KeyCode::F(2), none), "F2"),
            (event(KeyCode::Delete, none), "Backspace"),
        ] {
            assert_eq!(Some(input), Input::key(name), "{name}");
        }
        assert_eq!(event(KeyCode::Char('q'), KeyModifiers::ALT).0, What::Other);
        assert_eq!(event(KeyCode::Insert, none).0, What::Other);
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
