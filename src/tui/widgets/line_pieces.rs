//! Lines made of pieces; the least important are left out where room is short.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::click_targets::{ClickTarget, ClickTargets};
use crate::tui::format::cut;
use crate::tui::theme::{BOLD, DIM, SELECTED};

/// A part of a line that is shown whole or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Piece<'a> {
    /// The piece with the greatest rank is left out first; 0 is the most important.
    rank: u8,
    line: Line<'a>,
    /// What a click on each span means; empty where it means nothing.
    targets: Vec<ClickTarget>,
}

impl<'a> Piece<'a> {
    pub(crate) fn new(rank: u8, spans: Vec<Span<'a>>) -> Self {
        Self {
            rank,
            line: Line::from(spans),
            targets: Vec::new(),
        }
    }

    /// A piece each of whose spans can be clicked.
    pub(crate) fn clickable(rank: u8, spans: Vec<(Span<'a>, ClickTarget)>) -> Self {
        let (spans, targets) = spans.into_iter().unzip();
        let piece = Self::new(rank, spans);
        Self { targets, ..piece }
    }

    pub(crate) fn text(rank: u8, text: impl Into<String>, style: Style) -> Self {
        Self::new(rank, vec![Span::styled(text.into(), style)])
    }
}

/// What is being typed behind a label, and the cursor.
pub(crate) fn typed(label: String, text: &str) -> Piece<'static> {
    /// The last characters are shown, where the cursor is.
    const SHOWN_CHARS: usize = 48;
    let skipped = text.chars().count().saturating_sub(SHOWN_CHARS);
    let end: String = text.chars().skip(skipped).collect();
    Piece::new(
        0,
        vec![
            Span::styled(label, DIM),
            Span::styled(end, BOLD),
            Span::styled(" ", SELECTED),
        ],
    )
}

/// Writes `text` into `width` cells from (x, y), cut with "…" where it is longer.
pub(crate) fn put(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) {
    if buffer.area.contains((x, y).into()) {
        buffer.set_stringn(x, y, cut(text, width.into()), width.into(), style);
    }
}

/// Draws `left` from the left edge and `right` at the right edge of one line, two cells
/// between pieces and one at either end, leaving out whole pieces until all fits. A piece
/// that is alone and still too long is cut.
pub(crate) fn draw_pieces(
    buffer: &mut Buffer,
    area: Rect,
    left: Vec<Piece<'_>>,
    right: Vec<Piece<'_>>,
) {
    draw_clickable(buffer, area, left, right, &mut ClickTargets::default());
}

/// The same, and notes what a click on a piece means.
pub(crate) fn draw_clickable(
    buffer: &mut Buffer,
    area: Rect,
    mut left: Vec<Piece<'_>>,
    mut right: Vec<Piece<'_>>,
    targets: &mut ClickTargets,
) {
    if area.is_empty() {
        return;
    }
    let width =
        |pieces: &[Piece<'_>]| -> usize { pieces.iter().map(|piece| piece.line.width() + 2).sum() };
    while left.len() + right.len() > 1 && width(&left) + width(&right) > usize::from(area.width) {
        let worst = |pieces: &[Piece<'_>]| {
            let ranks = pieces.iter().enumerate();
            // Of equal ranks the last one is left out.
            ranks
                .max_by_key(|(_, piece)| piece.rank)
                .map(|(at, piece)| (piece.rank, at))
        };
        match (worst(&left), worst(&right)) {
            (Some((rank, at)), other) if other.is_none_or(|(other, _)| rank >= other) => {
                left.remove(at);
            }
            (_, Some((_, at))) => {
                right.remove(at);
            }
            _ => break,
        }
    }
    let mut x = area.x + 1;
    for piece in &left {
        x = spans(buffer, x, area, piece, targets) + 2;
    }
    let start = area
        .right()
        .saturating_sub(width(&right) as u16 - u16::from(!right.is_empty()));
    let mut x = start.max(area.x + 1);
    for piece in &right {
        x = spans(buffer, x, area, piece, targets) + 2;
    }
}

/// Writes a piece's spans from `x` and returns the column behind them.
fn spans(
    buffer: &mut Buffer,
    mut x: u16,
    area: Rect,
    piece: &Piece<'_>,
    targets: &mut ClickTargets,
) -> u16 {
    for (place, span) in piece.line.spans.iter().enumerate() {
        let room = area.right().saturating_sub(x);
        put(buffer, x, area.y, room, &span.content, span.style);
        let end = x.saturating_add(span.width() as u16).min(area.right());
        if let Some(target) = piece.targets.get(place) {
            targets.note(Rect::new(x, area.y, end - x, 1), target.clone());
        }
        x = end;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u16, left: &[(u8, &str)], right: &[(u8, &str)]) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        let pieces = |pieces: &[(u8, &str)]| {
            let piece = |(rank, text): &(u8, &str)| Piece::text(*rank, *text, Style::new());
            pieces.iter().map(piece).collect()
        };
        draw_pieces(&mut buffer, area, pieces(left), pieces(right));
        buffer.content.iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn the_least_important_pieces_give_way_whole() {
        let left = [(0, "one"), (2, "two"), (1, "three")];
        let right = [(0, "right")];
        assert_eq!(drawn(26, &left, &right), " one  two  three    right ");
        assert_eq!(drawn(20, &left, &right), " one  three   right ");
        assert_eq!(drawn(13, &left, &right), " one   right ");
    }

    #[test]
    fn what_is_alone_and_too_long_is_cut() {
        assert_eq!(drawn(6, &[(0, "abcdefgh")], &[]), " abcd…");
        assert_eq!(drawn(1, &[(0, "abc")], &[(0, "x")]), " ");
    }
}
