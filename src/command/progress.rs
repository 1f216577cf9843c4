//! The progress of a long sweep, on standard error, where that is a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A sweep that is over sooner needs no progress.
const PATIENCE: Duration = Duration::from_millis(600);
const PERIOD: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// One line that is drawn over itself.
#[derive(Debug)]
pub(super) struct Progress {
    total: usize,
    began: Instant,
    drawn: Option<Instant>,
    /// Somebody is there to see it.
    wanted: bool,
    /// Results are printed on the same terminal.
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

    /// How long until another drawing would show something new.
    pub(super) const fn period() -> Duration {
        PERIOD
    }

    /// Draws how far the sweep is, if it is time to.
    pub(super) fn draw(&mut self, done: usize, down: usize) {
        let due = match self.drawn {
            None => self.began.elapsed() >= PATIENCE,
            Some(drawn) => !self.visible || drawn.elapsed() >= PERIOD,
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

    /// Makes room for results, where they go to the same terminal.
    pub(super) fn make_room(&mut self) {
        if self.shared {
            self.clear();
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.visible) {
            let _unheard = std::io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
