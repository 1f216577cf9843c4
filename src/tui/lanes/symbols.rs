//! The symbol of each activity, with one meaning on every screen: a glyph and a style.

use ratatui::style::{Color, Style};

use crate::tui::theme::{DIM, NETWORK, PLAIN};

use super::load_strip::block;
use super::raster::CellTimes;

/// A glyph and the style that a cell is drawn in.
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

/// The start of a check.
pub(crate) const START: Symbol = of("│", NETWORK);
/// A check that began before the page did.
pub(crate) const BEFORE: Symbol = of("‹", NETWORK);
/// A check that waits for the network or a timer.
const WAITING: Symbol = of("─", NETWORK);
/// A check that is due and waits for a worker.
const QUEUED: Symbol = of("·", DIM);
/// A thread with nothing to do.
pub(crate) const IDLE: Symbol = of("_", DIM);
/// A poll that is too short to fill an eighth of a cell.
pub(crate) const POLLED: Symbol = of("┴", RUNNING);

/// The legend: symbol, word, and rank; the greatest rank is left out first where room is short.
pub(crate) const LEGEND: [(Symbol, &str, u8); 8] = [
    (START, "start", 1),
    (WAITING, "network", 1),
    (of("█", RUNNING), "cpu", 2),
    // Shown least: only workers under the interpreter lock ever wait for it.
    (of("▒", LOCKED), "lock", 6),
    (QUEUED, "queued", 3),
    (of(":", READY), "ready", 4),
    (IDLE, "idle", 5),
    (POLLED, "polled", 3),
];

/// The symbol of what took most of a cell, for a check or for a thread that holds one check at
/// a time; `width` is the duration of a cell in nanoseconds. `None` where nothing happened.
pub(crate) fn symbol(cell: &CellTimes, width: u64) -> Option<Symbol> {
    // Running counts four times, so that short runs show up among long waits.
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

/// The symbol of a cell of a thread that switches between tasks: running one, waiting for the
/// interpreter lock, or idle.
pub(crate) fn thread_symbol(cell: &CellTimes, width: u64) -> Symbol {
    if cell.locked > cell.running {
        of("▒", LOCKED)
    } else if cell.running > 0 {
        level(cell.running, width)
    } else {
        IDLE
    }
}

/// A block as high as the share of the cell that was spent running.
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
