//! A page that scrolls: a title, the position, and the visible lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::theme::{BOLD, DIM};
use crate::tui::widgets::put;

/// The scroll at which the last of `lines` lines is at the bottom of `area`.
pub(crate) fn last_scroll(lines: usize, area: Rect) -> usize {
    lines.saturating_sub(usize::from(area.height.saturating_sub(1)))
}

/// Draws a title and, below it, the lines from `scroll` on.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    lines: &[Line<'_>],
    scroll: usize,
) {
    if area.is_empty() {
        return;
    }
    let scroll = scroll.min(last_scroll(lines.len(), area));
    let rows = usize::from(area.height - 1);
    let end = (scroll + rows).min(lines.len());
    for x in area.left()..area.right() {
        put(buffer, x, area.y, 1, "─", DIM);
    }
    let title = format!(" {title} ");
    put(
        buffer,
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        &title,
        BOLD,
    );
    if end - scroll < lines.len() {
        let text = format!(" lines {}-{end} of {} ", scroll + 1, lines.len());
        let width = text.chars().count() as u16;
        let room = area.width.saturating_sub(title.chars().count() as u16 + 3);
        if width <= room {
            put(buffer, area.right() - 1 - width, area.y, width, &text, DIM);
        }
    }
    for (line, row) in lines.iter().skip(scroll).zip(area.rows().skip(1)) {
        buffer.set_line(row.x + 1, row.y, line, row.width.saturating_sub(1));
    }
}
