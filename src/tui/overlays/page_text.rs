//! Wrapped text with labels, for the pages of overlays.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::format::wrap;
use crate::tui::theme::{BOLD, DIM};

/// The width of the labels, in cells.
const LABEL: usize = 13;

/// The lines of a page.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) width: usize,
    pub(super) lines: Vec<Line<'static>>,
}

impl Text {
    /// An empty page in a body of `width` cells.
    pub(super) fn new(width: u16) -> Self {
        Self {
            width: usize::from(width).saturating_sub(2),
            lines: Vec::new(),
        }
    }

    /// A label and its text.
    pub(super) fn say(&mut self, label: &str, text: &str, style: Style) {
        let room = self.width.saturating_sub(LABEL);
        for (index, part) in wrap(text, room).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.lines.push(Line::from(vec![
                Span::styled(format!("{label:<LABEL$}"), DIM),
                Span::styled(part, style),
            ]));
        }
    }

    /// A text without a label, over the whole width.
    pub(super) fn tell(&mut self, text: &str) {
        let lines = wrap(text, self.width);
        self.lines.extend(lines.into_iter().map(Line::raw));
    }

    /// A heading below an empty line.
    pub(super) fn heading(&mut self, text: impl Into<String>) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(text.into(), BOLD));
    }
}
