//! What is typed, pasted, and sent by the terminal itself: bytes as they arrive, read as the
//! program reads them, and acted on by the screen.

use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use uptime_squirrel::config;
use uptime_squirrel::domain::{Moment, Now, Timestamp, is_unsafe};
use uptime_squirrel::monitor::Monitor;
use uptime_squirrel::paradigm::{Census, labels};
use uptime_squirrel::trace::{ProcStats, TraceStore};
use uptime_squirrel::tui::{
    FrameDiff, HistoryView, LabView, Options, ProcessStats, ReplayState, SiteFormView, TraceView,
    Ui, ViewModel, fuzzing,
};

use super::targets;

/// The most bytes that are typed.
const LONGEST: usize = 2_000;

/// Whatever was begun, this ends: a paste, a sequence, a character.
const END: &[u8] = b"\x1b[201~";

const SITES: &str = "sites = [
    { url = 'https://shop.example' }, { url = 'https://pay.example' },
    { name = 'mail', url = 'https://mail.example' },
]";

const SIZE: (u16, u16) = (80, 24);

/// Types the bytes at a screen with three sites, and draws it.
pub(crate) fn read(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let (begin, rest) = bytes.split_at(bytes.len() / 2);
    let mut inputs = fuzzing::inputs(&[bytes, END]);
    inputs.extend(fuzzing::inputs(&[begin, rest, END]));

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
            on_call: &[],
            form: SiteFormView::ALONE,
            message: None,
            messages: &[],
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
