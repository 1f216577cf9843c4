//! The bottom line: the keys of the screen or overlay on top, from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::tui::keymap::{self, KeyContext, Mode};
use crate::tui::theme::{BOLD, PLAIN};

use super::{Piece, draw_pieces};

/// Draws as many keys as there is room for; the first, help, is left out last.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, mode: Mode, context: &KeyContext<'_>) {
    let hints = keymap::footer(mode, context).into_iter().enumerate();
    let pieces = hints.map(|(rank, (key, word))| {
        let spans = vec![
            Span::styled(key, BOLD),
            Span::styled(format!(" {word}"), PLAIN),
        ];
        Piece::new(u8::try_from(rank).unwrap_or(u8::MAX), spans)
    });
    draw_pieces(buffer, area, pieces.collect(), Vec::new());
}
