//! The bytes that change the terminal from one frame to the next.

use std::io::{self, Write};

use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{cursor, queue};
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;

use super::ansi_writer::{self, Change, PLAIN, is_bare, style_of};
use super::ui::Ui;
use super::view_model::ViewModel;

/// The frame that the terminal shows and the next one.
///
/// ratatui's own `Terminal` asks for the position of the cursor when it clears, which takes two
/// seconds on a terminal that does not answer, and flushes several times a frame. This one
/// sends no query and gives the bytes of a frame in one piece.
#[derive(Debug)]
pub struct FrameDiff {
    shown: Buffer,
    next: Buffer,
    /// The content of the terminal is unknown.
    void: bool,
    bytes: Vec<u8>,
}

impl FrameDiff {
    /// For a terminal whose content is unknown: the first frame is drawn whole.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shown: Buffer::empty(Rect::ZERO),
            next: Buffer::empty(Rect::ZERO),
            void: true,
            bytes: Vec::with_capacity(64 << 10),
        }
    }

    /// Forgets the content of the terminal: the next frame is drawn whole.
    pub(crate) fn forget(&mut self) {
        self.void = true;
    }

    /// Draws the screen at `size` (columns, rows); gives the bytes that change the last frame
    /// into it, empty where nothing changed.
    ///
    /// # Errors
    /// None in practice: the bytes are collected in memory.
    pub fn advance(
        &mut self,
        ui: &Ui,
        model: &ViewModel<'_>,
        size: (u16, u16),
    ) -> io::Result<&[u8]> {
        self.frame(size, |buffer| ui.draw(model, buffer))
    }

    /// Draws a frame by `draw`; gives the bytes to send, empty where nothing changed.
    ///
    /// # Errors
    /// None in practice: the bytes are collected in memory.
    pub(crate) fn frame(
        &mut self,
        (columns, rows): (u16, u16),
        draw: impl FnOnce(&mut Buffer),
    ) -> io::Result<&[u8]> {
        let area = Rect::new(0, 0, columns, rows);
        if self.next.area != area {
            self.shown.resize(area);
            self.next.resize(area);
            self.void = true;
        }
        self.next.reset();
        draw(&mut self.next);
        self.bytes.clear();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        let before = self.bytes.len();
        if self.void {
            queue!(self.bytes, cursor::Hide, Clear(ClearType::All))?;
            self.shown.reset();
        }
        let changes: Vec<_> = self.shown.diff_iter(&self.next).collect();
        if !changes.is_empty() {
            ansi_writer::write(&mut self.bytes, &by_style(&changes, &self.shown))?;
        }
        if self.bytes.len() == before {
            self.bytes.clear();
        } else {
            queue!(self.bytes, EndSynchronizedUpdate)?;
            self.bytes.flush()?;
        }
        self.void = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(&self.bytes)
    }
}

/// The changes in an order that needs few bytes: those of one style together. A move of the
/// cursor takes five to nine bytes, a change of style as many, and a lane changes in two places
/// in two styles. Neighbouring cells stay together where one is or was wide, because writing one
/// half of a wide character destroys the other; blank cells go with their neighbours.
fn by_style<'a>(changes: &[Change<'a>], shown: &Buffer) -> Vec<Change<'a>> {
    let wide = |(x, y, cell): &Change<'_>| {
        let was = shown.cell((*x, *y)).map_or(1, CellWidth::cell_width);
        cell.cell_width() > 1 || was > 1
    };
    let mut styles = Vec::new();
    let mut runs: Vec<(usize, &[Change<'_>])> = Vec::new();
    let mut rest = changes;
    while let [first, others @ ..] = rest {
        // The style of the run, once it has a visible cell.
        let mut drawn = (!is_bare(first.2, PLAIN)).then(|| style_of(first.2));
        let mut before = first;
        let more = others.iter().take_while(|after| {
            let beside = before.1 == after.1 && before.0 + before.2.cell_width() == after.0;
            let as_it_is = drawn.unwrap_or(PLAIN);
            let alike =
                is_bare(after.2, as_it_is) || drawn.is_none_or(|drawn| drawn == style_of(after.2));
            let goes_on = beside && (alike || wide(before) || wide(after));
            if goes_on && !is_bare(after.2, as_it_is) {
                drawn = drawn.or_else(|| Some(style_of(after.2)));
            }
            before = after;
            goes_on
        });
        let (run, left) = rest.split_at(1 + more.count());
        rest = left;
        let style = drawn.unwrap_or(PLAIN);
        let known = styles.iter().position(|known| *known == style);
        let place = known.unwrap_or_else(|| {
            styles.push(style);
            styles.len() - 1
        });
        runs.push((place, run));
    }
    runs.sort_by_key(|(place, _)| *place);
    runs.into_iter().flat_map(|(_, run)| run).copied().collect()
}

impl Default for FrameDiff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Style};

    const SIZE: (u16, u16) = (12, 3);

    fn write(buffer: &mut Buffer, text: &str) {
        for (row, line) in text.split('/').enumerate().take(3) {
            buffer.set_stringn(0, row as u16, line, 12, Style::new().fg(Color::Red));
        }
        for cell in &mut buffer.content {
            cell.fg = match cell.symbol() {
                "a" => Color::Blue,
                "日" => Color::Green,
                _ => Color::Reset,
            };
        }
    }

    fn terminal() -> vt100::Parser {
        let cells = |cells: u16| cells.try_into().unwrap();
        vt100::Parser::new(cells(SIZE.1), cells(SIZE.0), 0)
    }

    fn lines(parser: &vt100::Parser) -> Vec<String> {
        let rows = parser.screen().rows(0, SIZE.0);
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn an_unchanged_frame_costs_no_byte() {
        let mut sheet = FrameDiff::new();
        assert!(
            !sheet
                .frame(SIZE, |buffer| write(buffer, "ab"))
                .unwrap()
                .is_empty()
        );
        assert!(
            sheet
                .frame(SIZE, |buffer| write(buffer, "ab"))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_spoiled_terminal_is_drawn_anew() {
        let mut sheet = FrameDiff::new();
        let mut parser = terminal();
        parser.process(sheet.frame(SIZE, |buffer| write(buffer, "ab")).unwrap());
        parser.process(b"\x1b[2;2Hnoise");
        sheet.forget();
        parser.process(sheet.frame(SIZE, |buffer| write(buffer, "ab")).unwrap());
        assert_eq!(lines(&parser), ["ab", "", ""]);
        assert!(parser.screen().hide_cursor());
    }

    #[test]
    fn nothing_asks_the_terminal_for_an_answer() {
        let mut sheet = FrameDiff::new();
        let bytes = sheet.frame(SIZE, |buffer| write(buffer, "ab")).unwrap();
        assert!(!bytes.windows(4).any(|bytes| bytes == b"\x1b[6n"));
    }

    proptest! {
        #[test]
        fn the_terminal_shows_the_last_frame_whatever_came_before(
            frames in prop::collection::vec("[ab日é/ ]{0,30}", 1..8)
        ) {
            let mut sheet = FrameDiff::new();
            let mut parser = terminal();
            for frame in &frames {
                parser.process(sheet.frame(SIZE, |buffer| write(buffer, frame)).unwrap());
            }
            let mut fresh = terminal();
            let last = frames.last().unwrap();
            fresh.process(FrameDiff::new().frame(SIZE, |buffer| write(buffer, last)).unwrap());
            prop_assert_eq!(lines(&parser), lines(&fresh));
            for place in 0..SIZE.0 * SIZE.1 {
                let colour = |parser: &vt100::Parser| {
                    let cell = parser.screen().cell(place / SIZE.0, place % SIZE.0);
                    let cell = cell.filter(|cell| !cell.contents().trim().is_empty());
                    cell.map(vt100::Cell::fgcolor)
                };
                prop_assert_eq!(colour(&parser), colour(&fresh));
            }
        }
    }
}
