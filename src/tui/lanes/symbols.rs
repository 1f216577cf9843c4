//! The mark of each state, with one meaning everywhere: a glyph, a colour and a word.

use ratatui::style::{Color, Style};

use crate::tui::theme::{DIM, NETWORK, PLAIN};

use super::load_strip::block;
use super::raster::CellTimes;

/// How a cell is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) glyph: &'static str,
    pub(crate) style: Style,
}

const RUNNING: Style = PLAIN.fg(Color::Green);
const LOCKED: Style = PLAIN.fg(Color::Red);
const READY: Style = PLAIN
    .fg(Color::Yellow)
    .add_modifier(ratatui::style::Modifier::BOLD);

const fn of(glyph: &'static str, style: Style) -> Symbol {
    Symbol { glyph, style }
}

/// A check begins.
pub(crate) const START: Symbol = of("│", NETWORK);
/// A check goes on that began before the page.
pub(crate) const BEFORE: Symbol = of("‹", NETWORK);
/// Waits for the network or a timer.
const WAITING: Symbol = of("─", NETWORK);
/// Due, and waits for a worker.
const QUEUED: Symbol = of("·", DIM);
/// A thread with nothing to do.
pub(crate) const IDLE: Symbol = of("_", DIM);
/// A poll too short to fill anything.
pub(crate) const POLLED: Symbol = of("┴", RUNNING);

/// Every symbol and its word, for the legend; and which give way first where room is short.
pub(crate) const LEGEND: [(Symbol, &str, u8); 8] = [
    (START, "start", 1),
    (WAITING, "network", 1),
    (of("█", RUNNING), "cpu", 2),
    // Only a worker under the interpreter lock waits for that.
    (of("▒", LOCKED), "lock", 6),
    (QUEUED, "queued", 3),
    (of(":", READY), "ready", 4),
    (IDLE, "idle", 5),
    (POLLED, "polled", 3),
];

/// A cell of a check, or of a thread that holds one while it waits; `width` is a cell in
/// nanoseconds. `None` where nothing was done.
pub(crate) fn symbol(cell: &CellTimes, width: u64) -> Option<Symbol> {
    // Running is seen where it takes an eighth of a cell; so it is not lost in the waiting.
    let running = cell.running * 4;
    let most = [running, cell.locked, cell.ready, cell.waiting, cell.queued]
        .into_iter()
        .max()?;
    if most == 0 {
        return None;
    }
    Some(if most == running {
        level(cell.running, width)
    } else if most == cell.locked {
        of("▒", LOCKED)
    } else if most == cell.waiting {
        WAITING
    } else if most == cell.ready {
        of(":", READY)
    } else {
        QUEUED
    })
}

/// A cell of a thread that goes from task to task: it runs one of them, waits for the lock,
/// or has nothing to run.
pub(crate) fn thread_symbol(cell: &CellTimes, width: u64) -> Symbol {
    if cell.locked > cell.running {
        of("▒", LOCKED)
    } else if cell.running > 0 {
        level(cell.running, width)
    } else {
        IDLE
    }
}

/// As high as the share of the cell in which something ran.
fn level(nanos: u64, width: u64) -> Symbol {
    let share = nanos as f64 / width.max(1) as f64;
    of(block(share.max(0.01), 1).unwrap_or("▁"), RUNNING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_states_share_a_mark() {
        let glyphs: HashSet<_> = LEGEND.iter().map(|(symbol, ..)| symbol.glyph).collect();
        assert_eq!(glyphs.len(), LEGEND.len());
    }

    #[test]
    fn what_fills_the_cell_is_what_is_drawn_and_running_shows_early() {
        let cell = |running, waiting, locked, queued| CellTimes {
            queued,
            waiting,
            ready: 0,
            running,
            locked,
        };
        let glyph = |cell| symbol(&cell, 100).map(|symbol| symbol.glyph);
        assert_eq!(glyph(cell(0, 0, 0, 0)), None);
        assert_eq!(glyph(cell(1, 99, 0, 0)), Some("─"));
        assert_eq!(glyph(cell(30, 70, 0, 0)), Some("▃"));
        assert_eq!(glyph(cell(100, 0, 0, 0)), Some("█"));
        assert_eq!(glyph(cell(10, 0, 90, 0)), Some("▒"));
        assert_eq!(glyph(cell(0, 10, 0, 90)), Some("·"));
        assert_eq!(thread_symbol(&cell(1, 99, 0, 0), 100).glyph, "▁");
        assert_eq!(thread_symbol(&cell(0, 100, 0, 0), 100).glyph, "_");
    }
}
