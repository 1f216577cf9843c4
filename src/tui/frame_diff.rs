//! The bytes that change the terminal from one frame to the next.

use std::io;

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;

use super::ansi_writer::{self, PLAIN, is_bare, style_of};
use super::click_targets::ClickTargets;
use super::ui::Ui;
use super::view_model::ViewModel;
use super::wide_cells::{self, Change, TiedChange};

/// Begins a frame, which the terminal shows at its end (private mode 2026, "synchronized output").
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Hides the cursor (DECTCEM) and erases the screen (ED 2).
const CLEAR: &[u8] = b"\x1b[?25l\x1b[2J";

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
    /// The areas of the shown frame.
    targets: ClickTargets,
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
            targets: ClickTargets::default(),
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
        let mut targets = ClickTargets::default();
        self.frame(size, |buffer| targets = ui.draw(model, buffer))?;
        self.targets = targets;
        Ok(&self.bytes)
    }

    /// What a click means in the frame that was drawn last.
    #[must_use]
    pub fn targets(&self) -> ClickTargets {
        self.targets.clone()
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
        self.bytes.extend_from_slice(BEGIN);
        let before = self.bytes.len();
        if self.void {
            self.bytes.extend_from_slice(CLEAR);
            self.shown.reset();
        }
        let changes = wide_cells::changes(&self.shown, &self.next);
        if !changes.is_empty() {
            ansi_writer::write(&mut self.bytes, &by_style(&changes, &self.shown))?;
        }
        if self.bytes.len() == before {
            self.bytes.clear();
        } else {
            self.bytes.extend_from_slice(END);
        }
        self.void = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(&self.bytes)
    }
}

/// The changes in an order that needs few bytes: those of one style together. A move of the
/// cursor takes five to nine bytes, a change of style as many, and a lane changes in two places
/// in two styles. Neighbouring cells stay together where one is or was wide, because writing one
/// half of a wide character destroys the other, and where one may spoil the next; blank cells go
/// with their neighbours.
fn by_style<'a>(changes: &[TiedChange<'a>], shown: &Buffer) -> Vec<Change<'a>> {
    let wide = |(x, y, cell): &Change<'_>| {
        let was = shown.cell((*x, *y)).map_or(1, CellWidth::cell_width);
        cell.cell_width() > 1 || was > 1
    };
    let mut styles = Vec::new();
    let mut runs: Vec<(usize, &[TiedChange<'_>])> = Vec::new();
    let mut rest = changes;
    while let [(first, _), others @ ..] = rest {
        // The style of the run, once it has a visible cell.
        let mut drawn = (!is_bare(first.2, PLAIN)).then(|| style_of(first.2));
        let mut before = first;
        let more = others.iter().take_while(|(after, is_tied)| {
            let beside = before.1 == after.1 && before.0 + before.2.cell_width() == after.0;
            let as_it_is = drawn.unwrap_or(PLAIN);
            let alike =
                is_bare(after.2, as_it_is) || drawn.is_none_or(|drawn| drawn == style_of(after.2));
            let together = alike || *is_tied || wide(before) || wide(after);
            let goes_on = beside && together;
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
    let changes = runs.into_iter().flat_map(|(_, run)| run);
    changes.map(|(change, _)| *change).collect()
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
    use unicode_width::UnicodeWidthChar;

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

    /// What terminals disagree on: a flag, a skin tone, a joined emoji, Indic clusters, a keycap,
    /// a heart in colour, a new emoji, an accent.
    const UNCERTAIN: [&str; 9] = [
        "\u{1f1e9}\u{1f1ea}",
        "\u{1f44d}\u{1f3fd}",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{915}\u{94d}\u{937}\u{93f}",
        "\u{ba8}\u{bbf}",
        "1\u{fe0f}\u{20e3}",
        "\u{2764}\u{fe0f}",
        "\u{1fae8}",
        "e\u{301}",
    ];

    /// How wide a terminal takes one of them for.
    #[derive(Clone, Copy, Debug)]
    enum Widths {
        /// Each code point by itself, as terminals do that know of none.
        Apart,
        /// All of it so many columns.
        Together(usize),
    }

    /// A terminal with its own widths. Half a wide character that is overwritten becomes blank.
    struct Opinionated {
        widths: Widths,
        cells: Vec<Vec<String>>,
        row: usize,
        column: usize,
    }

    impl Opinionated {
        fn new(widths: Widths) -> Self {
            let row = vec![" ".to_owned(); SIZE.0.into()];
            let cells = vec![row; SIZE.1.into()];
            let (row, column) = (0, 0);
            Self {
                widths,
                cells,
                row,
                column,
            }
        }

        fn process(&mut self, bytes: &[u8]) {
            let mut text = std::str::from_utf8(bytes).unwrap();
            while let Some(first) = text.chars().next() {
                if let Some(sequence) = text.strip_prefix("\x1b[") {
                    let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    self.control(&sequence[..end], sequence.as_bytes()[end]);
                    text = &sequence[end + 1..];
                    continue;
                }
                let cluster = UNCERTAIN.iter().find(|known| text.starts_with(**known));
                match (cluster, self.widths) {
                    (Some(cluster), Widths::Together(width)) => {
                        self.put(cluster, width);
                        text = &text[cluster.len()..];
                    }
                    _ => {
                        let width = UnicodeWidthChar::width(first).unwrap();
                        let (symbol, rest) = text.split_at(first.len_utf8());
                        self.put(symbol, width);
                        text = rest;
                    }
                }
            }
        }

        fn control(&mut self, numbers: &str, last: u8) {
            let mut numbers = numbers.split(';').map(|number| number.parse().unwrap_or(1));
            let mut next = || numbers.next().unwrap_or(1_usize) - 1;
            match last {
                b'H' => (self.row, self.column) = (next(), next()),
                b'G' => self.column = next(),
                b'J' => self
                    .cells
                    .iter_mut()
                    .flatten()
                    .for_each(|cell| *cell = " ".to_owned()),
                _ => {}
            }
        }

        fn put(&mut self, symbol: &str, width: usize) {
            let row = &mut self.cells[self.row];
            if width == 0 {
                let before = row[..self.column].iter_mut();
                if let Some(before) = before.rev().find(|cell| !cell.is_empty()) {
                    before.push_str(symbol);
                }
                return;
            }
            let end = self.column + width;
            if end > row.len() {
                // It does not wrap at the end of the line.
                return;
            }
            // Half a character on either side is blank.
            if row[self.column].is_empty() {
                let begin = row[..self.column].iter().rposition(|cell| !cell.is_empty());
                row[begin.unwrap()..self.column].fill(" ".to_owned());
            }
            for cell in row[end..].iter_mut().take_while(|cell| cell.is_empty()) {
                *cell = " ".to_owned();
            }
            row[self.column..end].fill(String::new());
            row[self.column] = symbol.to_owned();
            self.column = end;
        }
    }

    fn lines_with_clusters() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            prop::sample::select(&UNCERTAIN[..]).prop_map(str::to_owned),
            "[ab日/ ]",
        ];
        prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn whatever_a_terminal_thinks_of_a_cluster_nothing_else_is_spoilt(
            frames in prop::collection::vec(lines_with_clusters(), 1..8),
            widths in prop_oneof![
                Just(Widths::Apart), Just(Widths::Together(1)), Just(Widths::Together(2)),
            ],
        ) {
            let mut sheet = FrameDiff::new();
            let mut terminal = Opinionated::new(widths);
            for frame in &frames {
                terminal.process(sheet.frame(SIZE, |buffer| write(buffer, frame)).unwrap());
            }
            for (y, row) in terminal.cells.iter().enumerate() {
                let mut x = 0;
                while let Some(cell) = sheet.shown.cell((x, y as u16)) {
                    let width = cell.cell_width().max(1);
                    if !wide_cells::is_uncertain(cell) {
                        let shown = &row[usize::from(x)];
                        prop_assert_eq!(shown, cell.symbol(), "{}:{} of {:?}", y, x, row);
                    }
                    x += width;
                }
            }
        }
    }
}
