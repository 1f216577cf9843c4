//! A screen without a terminal: keys are pressed, frames are drawn and read.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use unicode_width::UnicodeWidthStr;

use crate::domain::{Now, Timestamp};
use crate::tui::fixture::Fixture;
use crate::tui::input::{InputKind, TerminalInput};
use crate::tui::key::Key;
use crate::tui::options::{Background, Options};
use crate::tui::ui::Ui;
use crate::tui::view_model::{Intent, ViewModel};

pub(super) const SMALL: (u16, u16) = (80, 24);
pub(super) const MEDIUM: (u16, u16) = (120, 36);
pub(super) const LARGE: (u16, u16) = (200, 60);

pub(super) fn options() -> Options {
    Options {
        color: true,
        ascii: false,
        remote: false,
        multiplexer: None,
        mouse: true,
        background: Background::Unknown,
        asks_background: false,
        zone: TimeZone::UTC,
    }
}

pub(super) fn screen(size: (u16, u16), fixture: &Fixture) -> Ui {
    let mut ui = Ui::new(options(), size);
    ui.tick(&fixture.model());
    ui
}

pub(super) fn press(ui: &mut Ui, model: &ViewModel<'_>, keys: &str) -> Vec<Intent> {
    let inputs = keys.split(' ').map(|key| TerminalInput::key(key).unwrap());
    inputs.filter_map(|input| ui.input(&input, model)).collect()
}

pub(super) fn type_text(ui: &mut Ui, model: &ViewModel<'_>, text: &str) {
    for c in text.chars() {
        ui.input(&TerminalInput(InputKind::Key(Key::Char(c))), model);
    }
}

pub(super) fn draw(ui: &Ui, model: &ViewModel<'_>, (columns, rows): (u16, u16)) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    ui.draw(model, &mut buffer);
    buffer
}

pub(super) fn lines(buffer: &Buffer) -> Vec<String> {
    let mut lines = Vec::new();
    for y in 0..buffer.area.height {
        let (mut line, mut covered) = (String::new(), 0);
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if covered == 0 {
                line.push_str(symbol);
                covered = symbol.width();
            }
            covered = covered.saturating_sub(1);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The text, and below it a line for each run of cells that are not plain.
pub(super) fn shot(buffer: &Buffer) -> String {
    let mut out = lines(buffer).join("\n");
    out.push_str("\n---\n");
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let (fg, modifier) = (buffer[(x, y)].fg, buffer[(x, y)].modifier);
            let from = x;
            while x < buffer.area.width
                && (buffer[(x, y)].fg, buffer[(x, y)].modifier) == (fg, modifier)
            {
                x += 1;
            }
            if fg != Color::Reset || !modifier.is_empty() {
                let mut words = String::new();
                if fg != Color::Reset {
                    write!(words, " {fg:?}").unwrap();
                }
                for (name, _) in modifier.iter_names() {
                    write!(words, " {name}").unwrap();
                }
                writeln!(out, "{y}:{from}-{}{}", x - 1, words.to_lowercase()).unwrap();
            }
        }
    }
    out
}

/// The time of `fixture`, `seconds` later on both clocks.
pub(super) fn later(fixture: &Fixture, seconds: u64) -> Now {
    let (now, passed) = (fixture.now(), Duration::from_secs(seconds));
    Now {
        mono: now.mono + passed,
        wall: Timestamp::from_micros(now.wall.as_micros() + passed.as_micros() as i64),
    }
}
