//! The columns left of the lanes, the same in every paradigm and grouping. They keep their
//! width on a narrow screen, where the lanes get shorter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::format::{bytes, is_late, lateness};
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::widgets::put;

use super::time_shares::TimeShares;

/// A number beside a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Cpu,
    Waiting,
    Idle,
    Late,
    Lock,
    /// Processor time as sampled from the operating system.
    Kernel,
    Switches,
    Memory,
}

impl Number {
    const fn heading(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Waiting => "NET",
            Self::Idle => "IDLE",
            Self::Late => "LATE",
            Self::Lock => "LOCK",
            Self::Kernel => "~CPU",
            Self::Switches => "~SW/s",
            Self::Memory => "~MEM",
        }
    }

    const fn width(self) -> u16 {
        match self {
            Self::Late => 6,
            Self::Switches => 7,
            _ => 5,
        }
    }
}

const NARROW: &[Number] = &[Number::Waiting];
const MEDIUM: &[Number] = &[Number::Cpu, Number::Waiting, Number::Idle, Number::Late];
const WIDE: &[Number] = &[
    Number::Cpu,
    Number::Waiting,
    Number::Idle,
    Number::Late,
    Number::Lock,
    Number::Kernel,
    Number::Switches,
    Number::Memory,
];

/// The numbers of a row. `None` where unknown, which is drawn as "-".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LaneNumbers {
    pub(crate) shares: Option<TimeShares>,
    pub(crate) kernel: Option<f32>,
    pub(crate) switches: Option<f32>,
    pub(crate) memory: Option<u64>,
}

/// The columns that fit beside the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneColumns {
    name: u16,
    numbers: &'static [Number],
}

impl LaneColumns {
    pub(crate) const fn of(width: u16) -> Self {
        match width {
            0..100 => Self {
                name: 9,
                numbers: NARROW,
            },
            100..160 => Self {
                name: 16,
                numbers: MEDIUM,
            },
            _ => Self {
                name: 22,
                numbers: WIDE,
            },
        }
    }

    /// The width of all columns, in cells.
    pub(crate) fn width(&self) -> u16 {
        self.name
            + self
                .numbers
                .iter()
                .map(|number| number.width())
                .sum::<u16>()
            + 2
    }

    /// The width of the column of names, in cells.
    pub(crate) const fn name(&self) -> u16 {
        self.name
    }

    pub(crate) fn heading(&self, buffer: &mut Buffer, line: Rect, what: &str) {
        put(buffer, line.x + 1, line.y, self.name, what, DIM);
        self.each(line, |x, number| {
            right(buffer, x, line.y, number.width(), number.heading(), DIM);
        });
    }

    pub(crate) fn draw(&self, buffer: &mut Buffer, line: Rect, numbers: &LaneNumbers) {
        let shares = numbers.shares.as_ref();
        self.each(line, |x, number| {
            let share = |of: fn(&TimeShares) -> f64| shares.map(|shares| percent(of(shares)));
            let text = match number {
                Number::Cpu => share(|shares| shares.running),
                Number::Waiting => share(|shares| shares.waiting),
                Number::Idle => share(TimeShares::idle),
                Number::Lock => share(|shares| shares.locked),
                Number::Late => shares.map(|shares| lateness(shares.late)),
                Number::Kernel => numbers.kernel.map(|cpu| percent(cpu.into())),
                Number::Switches => numbers.switches.map(|rate| format!("{rate:.0}")),
                Number::Memory => numbers.memory.map(bytes),
            };
            let style = match number {
                Number::Late if shares.is_some_and(|shares| is_late(shares.late)) => {
                    theme::tone(crate::tui::view_model::Tone::Warn)
                }
                Number::Cpu if shares.is_some_and(|shares| shares.running > 0.5) => BOLD,
                _ => PLAIN,
            };
            let text = text.as_deref().unwrap_or("-");
            right(buffer, x, line.y, number.width(), text, style);
        });
    }

    fn each(&self, line: Rect, mut each: impl FnMut(u16, Number)) {
        let mut x = line.x + 1 + self.name;
        for number in self.numbers {
            each(x, *number);
            x += number.width();
        }
    }
}

fn right(
    buffer: &mut Buffer,
    x: u16,
    y: u16,
    width: u16,
    text: &str,
    style: ratatui::style::Style,
) {
    let used = text.chars().count() as u16;
    put(
        buffer,
        x + width.saturating_sub(used),
        y,
        used.min(width),
        text,
        style,
    );
}

/// A share from 0 to 1 as a percentage in at most four cells; below half a percent, "<1%".
fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "0%".to_owned(),
        percent if percent < 0.5 => "<1%".to_owned(),
        percent => format!("{percent:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_screen_keeps_64_cells_and_one_percentage() {
        let columns = LaneColumns::of(80);
        assert_eq!(80 - columns.width(), 64);
        assert_eq!(columns.numbers.len(), 1);
    }

    #[test]
    fn little_is_told_from_nothing() {
        for (share, text) in [(0.0, "0%"), (0.001, "<1%"), (0.03, "3%"), (1.0, "100%")] {
            assert_eq!(percent(share), text);
        }
    }
}
