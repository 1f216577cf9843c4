//! What a terminal was sent, byte by byte and frame by frame.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use vt100::{Callbacks, Parser, Screen};

/// The mark that opens a synchronised update, and the one that closes it.
const OPENS: &[u8] = b"\x1b[?2026h";
const CLOSES: &[u8] = b"\x1b[?2026l";

/// A picture that was whole: never one in the middle of an update.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Frame {
    /// The text, without blanks at the ends.
    pub(crate) lines: Vec<String>,
    /// The line that is reversed.
    pub(crate) selected: Option<usize>,
    /// Whether a line was longer than the screen.
    pub(crate) overflows: bool,
    /// Whether the alternate screen is shown.
    pub(crate) alternate: bool,
    /// Whether the cursor is hidden.
    pub(crate) cursor_hidden: bool,
    /// Whether anything has a colour.
    pub(crate) coloured: bool,
    /// The numbers of the colours that text has.
    pub(crate) colors: BTreeSet<u8>,
    /// The window's title.
    pub(crate) title: String,
}

/// The words that a row of the table begins with.
const STATES: [&str; 9] = [
    "DOWN", "SUSPECT", "UNKNOWN", "MISSED", "SLOW", "CERT", "NEW", "UP", "PAUSED",
];

impl Frame {
    /// Everything, to be printed.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Whether a line holds `text`.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.line(text).is_some()
    }

    /// The first line that holds `text`.
    pub(crate) fn line(&self, text: &str) -> Option<&str> {
        let found = self.lines.iter().find(|line| line.contains(text));
        found.map(String::as_str)
    }

    /// The rows of the table, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &str> {
        let state = |line: &&str| {
            let word = line.split_whitespace().nth(1);
            line.starts_with([' ', '*', '>']) && word.is_some_and(|word| STATES.contains(&word))
        };
        self.lines.iter().map(String::as_str).skip(3).filter(state)
    }

    /// The row of the site called `name`.
    pub(crate) fn row(&self, name: &str) -> Option<&str> {
        self.rows()
            .find(|row| row.split_whitespace().any(|word| word == name))
    }

    /// The state of the site called `name`: "UP", "DOWN" ...
    pub(crate) fn state(&self, name: &str) -> Option<&str> {
        self.row(name)?.split_whitespace().nth(1)
    }

    /// Whether the site called `name` is in that state.
    pub(crate) fn is(&self, name: &str, state: &str) -> bool {
        self.state(name) == Some(state)
    }

    /// The selected row.
    pub(crate) fn selection(&self) -> &str {
        self.selected.map_or("", |line| &self.lines[line])
    }
}

/// What a terminal heard beside its picture.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) title: String,
    /// How often the bell rang.
    pub(crate) bells: usize,
    /// Notifications of the desktop (OSC 9).
    pub(crate) notes: Vec<String>,
    /// What was put on the clipboard, in base64.
    pub(crate) clipboard: Vec<String>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Callbacks for Heard {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.bells += 1;
    }

    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.title = text(title);
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(text(data));
    }

    fn unhandled_osc(&mut self, _: &mut Screen, params: &[&[u8]]) {
        if let [b"9", note] = params {
            self.notes.push(text(note));
        }
    }
}

/// Everything from the beginning.
pub(crate) struct Tape {
    parser: Parser<Heard>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) frames: Vec<Frame>,
    /// Up to where the bytes are in the frames.
    shown: usize,
    /// There will be no more.
    pub(crate) over: bool,
}

impl Tape {
    pub(crate) fn new(size: (u16, u16)) -> Self {
        let (columns, rows) = cells(size);
        Self {
            parser: Parser::new_with_callbacks(rows, columns, 0, Heard::default()),
            bytes: Vec::new(),
            frames: vec![Frame::default()],
            shown: 0,
            over: false,
        }
    }

    pub(crate) fn heard(&self) -> &Heard {
        self.parser.callbacks()
    }

    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        let (columns, rows) = cells(size);
        self.parser.set_size(rows, columns);
    }

    /// Takes what has come.
    pub(crate) fn record(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        loop {
            let rest = &self.bytes[self.shown..];
            let Some(opens) = find(rest, OPENS) else {
                // Part of a mark is kept until the rest of it is here.
                let end = rest.len() - partial(rest);
                self.show(end);
                return;
            };
            self.show(opens);
            let rest = &self.bytes[self.shown..];
            let Some(closes) = find(rest, CLOSES) else {
                return;
            };
            self.show(closes + CLOSES.len());
        }
    }

    /// Moves the picture on by so many bytes.
    fn show(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let end = self.shown + count;
        self.parser.process(&self.bytes[self.shown..end]);
        self.shown = end;
        let frame = self.picture();
        if self.frames.last() != Some(&frame) {
            self.frames.push(frame);
        }
    }

    fn picture(&self) -> Frame {
        let screen = self.parser.screen();
        let (rows, columns) = screen.size();
        let (rows, columns) = (rows.get(), columns.get());
        let reversed = |row: u16| {
            let inverse = |column| screen.cell(row, column).is_some_and(|cell| cell.inverse());
            inverse(0) && inverse(5)
        };
        let coloured = |row: u16| {
            let cells = (0..columns).filter_map(|column| screen.cell(row, column));
            let plain = (vt100::Color::Default, vt100::Color::Default);
            cells
                .into_iter()
                .any(|cell| (cell.fgcolor(), cell.bgcolor()) != plain)
        };
        Frame {
            lines: screen
                .rows(0, columns)
                .map(|line| line.trim_end().to_owned())
                .collect(),
            selected: (0..rows).find(|row| reversed(*row)).map(usize::from),
            overflows: (0..rows).any(|row| screen.row_wrapped(row)),
            alternate: screen.alternate_screen(),
            cursor_hidden: screen.hide_cursor(),
            coloured: (0..rows).any(coloured),
            colors: (0..rows)
                .flat_map(|row| (0..columns).filter_map(move |column| screen.cell(row, column)))
                .filter(|cell| !cell.contents().trim().is_empty())
                .filter_map(|cell| match cell.fgcolor() {
                    vt100::Color::Idx(number) => Some(number),
                    _ => None,
                })
                .collect(),
            title: self.heard().title.clone(),
        }
    }
}

fn cells((columns, rows): (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    (columns.try_into().unwrap(), rows.try_into().unwrap())
}

/// Where `wanted` begins.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// How many bytes at the end may be the beginning of [`OPENS`].
fn partial(bytes: &[u8]) -> usize {
    (1..OPENS.len())
        .rev()
        .find(|length| bytes.ends_with(&OPENS[..*length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_never_half_an_update_however_the_bytes_come() {
        let sent =
            b"ab\x1b[?2026h\x1b[H1\x1b[2;1H2\x1b[?2026l\x1b[?2026h\x1b[H3\x1b[?2026l\x1b[3;1Hend";
        for step in 1..sent.len() {
            let mut tape = Tape::new((10, 3));
            for chunk in sent.chunks(step) {
                tape.record(chunk);
            }
            let seen: Vec<_> = tape
                .frames
                .iter()
                .map(|frame| frame.lines.concat())
                .collect();
            assert_eq!(tape.bytes, sent);
            assert!(seen.contains(&"1b2".to_owned()), "{step}: {seen:?}");
            assert!(!seen.contains(&"1b".to_owned()), "{step}: {seen:?}");
            assert!(!seen.contains(&"3b".to_owned()), "{step}: {seen:?}");
            assert_eq!(seen.last().unwrap(), "3b2end", "{step}");
        }
    }
}
