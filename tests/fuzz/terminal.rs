//! What is typed, pasted, and sent by the terminal itself: bytes of a real pseudo-terminal,
//! read as the program reads them, and acted on by the screen.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use portable_pty::{MasterPty, PtySize};
use uptime_squirrel::config;
use uptime_squirrel::domain::{Moment, Now, Timestamp, is_unsafe};
use uptime_squirrel::monitor::Monitor;
use uptime_squirrel::paradigm::{Census, labels};
use uptime_squirrel::trace::{ProcStats, TraceStore};
use uptime_squirrel::tui::{
    FrameDiff, HistoryView, LabView, Options, ProcessStats, ReplayState, TerminalInput, TraceView,
    Ui, ViewModel, fuzzing,
};

use super::targets;

/// Fewer bytes than the kernel keeps for a reader.
const LONGEST: usize = 2_000;

/// Whatever was begun, this ends: a paste, a sequence, a character.
const END: &[u8] = b"\x1b[201~";

const SITES: &str = "sites = [
    { url = 'https://shop.example' }, { url = 'https://pay.example' },
    { name = 'mail', url = 'https://mail.example' },
]";

const SIZE: (u16, u16) = (80, 24);

/// A pseudo-terminal whose other end is the standard input of this process.
struct Keyboard {
    keys: Box<dyn Write + Send>,
    screen: OwnedFd,
    _master: Box<dyn MasterPty + Send>,
}

impl Keyboard {
    fn new() -> Self {
        let pair = portable_pty::native_pty_system()
            .openpty(PtySize::default())
            .expect("a pseudo-terminal");
        let name = pair.master.tty_name().expect("its name");
        // The reader takes all there is and must not wait for more; and a test runner does not
        // get a controlling terminal.
        use rustix::fs::OFlags;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
        let screen = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).expect("its end");
        rustix::stdio::dup2_stdin(&screen).expect("standard input");
        fuzzing::enter_raw_mode().expect("raw mode");
        Self {
            keys: pair.master.take_writer().expect("its keys"),
            screen,
            _master: pair.master,
        }
    }

    /// Types these bytes; the inputs that come of it.
    fn type_all(&mut self, bytes: &[u8]) -> Vec<TerminalInput> {
        self.keys.write_all(bytes).expect("they are taken");
        // The kernel hands them on in its own time.
        while rustix::io::ioctl_fionread(&self.screen).expect("a number") < bytes.len() as u64 {
            std::thread::yield_now();
        }
        fuzzing::pending().expect("inputs")
    }
}

static KEYBOARD: OnceLock<Mutex<Keyboard>> = OnceLock::new();

/// Types the bytes at a screen with three sites, and draws it.
pub(crate) fn read(bytes: &[u8]) {
    let keyboard = KEYBOARD.get_or_init(|| Mutex::new(Keyboard::new()));
    let mut keyboard = keyboard.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let mut inputs = keyboard.type_all(bytes);
    inputs.extend(keyboard.type_all(END));
    drop(keyboard);

    let mut now = Now {
        mono: Moment::ZERO,
        wall: Timestamp::from_micros(1_763_819_820_000_000),
    };
    let mut monitor = Monitor::new();
    let config = config::parse(SITES, Path::new("sites.toml"), &targets::known());
    monitor.configure(config.expect("a configuration").sites, now);
    let (store, kernel) = (TraceStore::new(), ProcStats::default());
    let (history, replay) = (HistoryView::default(), ReplayState::default());
    let labels = labels();
    let mut ui = Ui::new(Options::new(false, TimeZone::UTC, |_| None), SIZE);
    let mut frames = FrameDiff::new();
    for input in &inputs {
        now.mono = now.mono + Duration::from_millis(100);
        let model = ViewModel {
            monitor: &monitor,
            now,
            paradigms: &labels,
            active: 0,
            census: Census::default(),
            resizable: true,
            trace: TraceView {
                store: &store,
                kernel: &kernel,
                capacity: None,
                interval: None,
                on: true,
                pid: 1,
                queue: None,
            },
            history: &history,
            replay: &replay,
            process: ProcessStats {
                cpu: Some(0.9),
                rss: Some(200 << 20),
            },
            lab: LabView {
                cores: 2,
                ..LabView::default()
            },
            next_due: &|_| None,
            silence: &|_| None,
            message: None,
            banner: None,
            config_path: "sites.toml",
            demo: false,
        };
        ui.input(input, &model);
        ui.tick(&model);
        if std::ptr::eq(input, &inputs[inputs.len() - 1]) {
            let frame = frames.advance(&ui, &model, SIZE).expect("a frame");
            let shown = String::from_utf8(frame.to_vec()).expect("text");
            let unsafe_one = shown
                .chars()
                .find(|c| is_unsafe(*c) && !c.is_ascii_control());
            assert_eq!(unsafe_one, None, "{shown:?}");
        }
    }
}
