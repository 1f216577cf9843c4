//! The progress bar of a long sweep, on standard error if that is a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How long a sweep runs before its progress is shown.
const FIRST_DRAW_DELAY: Duration = Duration::from_millis(600);
const REDRAW_PERIOD: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// The progress of a sweep: one line that is redrawn in place.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    began: Instant,
    drawn: Option<Instant>,
    /// Whether standard error is a terminal.
    wanted: bool,
    /// Whether standard output is a terminal too.
    shared: bool,
    visible: bool,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            began: Instant::now(),
            drawn: None,
            wanted: std::io::stderr().is_terminal(),
            shared: std::io::stdout().is_terminal(),
            visible: false,
        }
    }

    /// The least time between two drawings.
    pub(super) const fn period() -> Duration {
        REDRAW_PERIOD
    }

    /// Draws the progress, if the period since the last drawing is over.
    pub(super) fn draw(&mut self, done: usize, down: usize) {
        let due = match self.drawn {
            None => self.began.elapsed() >= FIRST_DRAW_DELAY,
            Some(drawn) => !self.visible || drawn.elapsed() >= REDRAW_PERIOD,
        };
        if !self.wanted || !due {
            return;
        }
        self.drawn = Some(Instant::now());
        self.visible = true;
        let filled = WIDTH * done / self.total.max(1);
        let bar = format!("{}{}", "#".repeat(filled), ".".repeat(WIDTH - filled));
        let seconds = self.began.elapsed().as_secs_f64();
        let line = format!(
            "\r[{bar}] {done}/{} checked, {down} down, {seconds:.0}s\u{1b}[K",
            self.total
        );
        let _unheard = std::io::stderr().write_all(line.as_bytes());
    }

    /// Clears the line before results are printed on the same terminal.
    pub(super) fn make_room(&mut self) {
        if self.shared {
            self.clear();
        }
    }

    /// Clears the line.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.visible) {
            let _unheard = std::io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
