//! The Sites screen: the table of sites.
//!
//! ```text
//!  STATE           SITE                 CODE  LATENCY  LAST 24 CHECKS
//!  ✗ DOWN 4m12s    pay.example/charge      -  timeout  ▃▃▂▃▃▂▃!xxxxxxx     ▐
//!  ● UP            api.example/health    200    240ms  ▁▂▂▂▂▁▁▂▁▂▂▁▂▂▂
//!  2 more  x down  ! failing                              failing first  1/4
//! ```
//!
//! Only visible rows are read, so a frame costs the same with ten sites and with a million.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use crate::domain::{Now, clean};
use crate::tui::click_targets::{ClickTarget, ClickTargets};
use crate::tui::format::{count, is_late};
use crate::tui::keymap::Scope;
use crate::tui::site_edit_actions;
use crate::tui::site_remark::{Remark, remark};
use crate::tui::sort::Sort;
use crate::tui::state::{Layer, SiteRow, UiState};
use crate::tui::theme::{self, BOLD, DIM, MARK, NEW, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};
use crate::tui::widgets::{Piece, draw_pieces, latency_strip, put, typed};

use super::View;
use super::site_cells::cell;
use super::site_columns::{PlacedColumn, SiteColumn, columns};

/// The screen's row in the table `VIEWS`.
pub(super) const VIEW: View = View {
    title: "Sites",
    scopes: &[
        Scope::Always,
        Scope::Everywhere,
        Scope::Screens,
        Scope::Sites,
        Scope::Site,
        Scope::All,
        Scope::Demo,
    ],
    draw,
};

fn draw(
    state: &UiState,
    model: &ViewModel<'_>,
    area: Rect,
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
) {
    if area.height < 3 {
        return;
    }
    let height = usize::from(area.height) - 2;
    let rows = Rect {
        y: area.y + 1,
        height: area.height - 2,
        ..area
    };
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let total = state.order.rows().len();
    let top = state.top(height);
    let places = top..(top + height).min(total);
    let seen: Vec<_> = places
        .clone()
        .map(|place| state.row(model, place))
        .collect();
    let late = seen.iter().flatten().any(|row| {
        let last = row.site.last();
        last.is_some_and(|last| is_late(last.late))
    });
    let placed = columns(area.width, late);
    let far = model.trace.queue.is_some();
    heading(buffer, area, &placed, (state.order.sort(), far), targets);
    let now = state.now(model);
    let (mut is_marked, mut is_new) = (false, false);
    for ((row, place), line) in seen.iter().zip(places).zip(rows.rows()) {
        let line = Rect {
            width: line.width.saturating_sub(1),
            ..line
        };
        match row {
            Some(row) => {
                draw_row(buffer, line, &placed, row, (now, far));
                targets.note(line, ClickTarget::Site(row.site.id()));
                if state.marks.contains(&row.site.id()) {
                    put(buffer, line.x, line.y, 1, MARK, BOLD);
                } else if state.is_new(model, row.site) {
                    put(buffer, line.x, line.y, 1, NEW, theme::tone(Tone::Warn));
                    is_new = true;
                }
                if let Some(remark) = remark(state, model, row.site) {
                    draw_remark(buffer, line, &placed, row, &remark);
                    is_marked = true;
                }
            }
            None => put(buffer, line.x + 1, line.y, line.width - 1, "removed", DIM),
        }
        if place == state.cursor {
            select(buffer, line, &placed);
        }
    }
    if seen.is_empty() {
        let text = if state.order.filter().is_empty() {
            match model.form.refusal {
                None => "No sites yet: press A to add one.".to_owned(),
                Some(why) => format!("No sites: {why}."),
            }
        } else {
            format!(
                "Nothing matches \"{}\". Esc clears the filter.",
                state.order.filter().text()
            )
        };
        put(buffer, rows.x + 1, rows.y, rows.width - 1, &text, PLAIN);
    }
    scroll_bar(buffer, rows, top, total);
    let more = total.saturating_sub(seen.len());
    bottom_line(buffer, bottom, state, model, (more, is_marked, is_new));
}

/// The headings; that of the column by which the list is sorted is bold and has an arrow: down in
/// the order that is usual for it, up where it is reversed.
fn heading(
    buffer: &mut Buffer,
    area: Rect,
    placed: &[PlacedColumn],
    ((sort, reverse), far): ((Sort, bool), bool),
    targets: &mut ClickTargets,
) {
    for PlacedColumn { column, x, width } in placed {
        let mut text = column.heading(*width, far);
        let mut style = DIM;
        if *column == SiteColumn::sorted(sort) {
            if text.chars().count() + 2 <= usize::from(*width) {
                text.push(' ');
            }
            text.push(if reverse { '↑' } else { '↓' });
            style = BOLD;
        }
        aligned(buffer, area.x + x, area.y, *width, &text, style, *column);
        let asked = match column.order() {
            Some(_) if *column == SiteColumn::sorted(sort) => Some((sort, !reverse)),
            order => order.map(|order| (order, false)),
        };
        if let Some((sort, reverse)) = asked {
            let area = Rect::new(area.x + x, area.y, *width, 1);
            targets.note(area, ClickTarget::SiteOrder(sort, reverse));
        }
    }
}

fn aligned(
    buffer: &mut Buffer,
    x: u16,
    y: u16,
    width: u16,
    text: &str,
    style: Style,
    column: SiteColumn,
) {
    let used = UnicodeWidthStr::width(text) as u16;
    let shift = if column.is_right() {
        width.saturating_sub(used)
    } else {
        0
    };
    put(buffer, x + shift, y, width - shift, text, style);
}

fn draw_row(
    buffer: &mut Buffer,
    line: Rect,
    placed: &[PlacedColumn],
    row: &SiteRow<'_>,
    now: (Now, bool),
) {
    for PlacedColumn { column, x, width } in placed {
        let x = line.x + x;
        if *column == SiteColumn::Checks {
            latency_strip::draw(buffer, Rect::new(x, line.y, *width, 1), row.site);
            continue;
        }
        let (text, style) = cell(*column, *width, row, now);
        aligned(buffer, x, line.y, *width, &text, style, *column);
    }
}

/// Draws the mark of a remark at the end of the state, and its words behind the name as far as there is
/// room.
fn draw_remark(
    buffer: &mut Buffer,
    line: Rect,
    placed: &[PlacedColumn],
    row: &SiteRow<'_>,
    remark: &Remark,
) {
    /// The least cells of words that say something.
    const LEAST_CELLS: u16 = 8;
    let find = |wanted| placed.iter().find(|placed| placed.column == wanted);
    if let Some(state) = find(SiteColumn::State) {
        let end = line.x + state.x + state.width - 1;
        put(buffer, end - 1, line.y, 1, " ", PLAIN);
        put(buffer, end, line.y, 1, remark.mark, theme::tone(Tone::Warn));
    }
    if let Some(site) = find(SiteColumn::Site) {
        let name = clean(&row.site.site().name, 200);
        let used = UnicodeWidthStr::width(&*name) as u16 + 2;
        let room = site.width.saturating_sub(used);
        if room >= LEAST_CELLS {
            put(
                buffer,
                line.x + site.x + used,
                line.y,
                room,
                &remark.brief,
                DIM,
            );
        }
    }
}

/// Draws the selected row reversed, in its colours. The strip stays as it is: reversed, a low block
/// would look like a high one.
fn select(buffer: &mut Buffer, line: Rect, placed: &[PlacedColumn]) {
    let strip = placed
        .iter()
        .find(|placed| placed.column == SiteColumn::Checks)
        .map_or(0..0, |strip| {
            line.x + strip.x..line.x + strip.x + strip.width
        });
    for x in (line.left()..line.right()).filter(|x| !strip.contains(x)) {
        if let Some(cell) = buffer.cell_mut((x, line.y)) {
            cell.modifier.remove(Modifier::DIM);
            cell.modifier.insert(Modifier::REVERSED);
        }
    }
}

fn scroll_bar(buffer: &mut Buffer, rows: Rect, top: usize, total: usize) {
    let height = usize::from(rows.height);
    if total <= height {
        return;
    }
    let length = (height * height / total).max(1);
    let start = (height - length) * top / (total - height);
    for y in start..start + length {
        if let Some(cell) = buffer.cell_mut((rows.right() - 1, rows.y + y as u16)) {
            cell.set_symbol("▐");
        }
    }
}

/// The bottom line: at the left the filter while it is typed, or the newest message, or rows left
/// out and the remark on the selected site or the legend; at the right sort order and position.
fn bottom_line(
    buffer: &mut Buffer,
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    (more, is_marked, is_new): (usize, bool, bool),
) {
    let (sort, reverse) = state.order.sort();
    let (listed, all) = (state.order.rows().len(), model.monitor.ids().len());
    let filter = state.order.filter();
    let place = (state.cursor + 1).min(listed);
    let mut right = vec![
        Piece::text(2, sort.words(reverse), DIM),
        Piece::text(1, format!("{}/{}", count(place), count(listed)), PLAIN),
    ];
    let matching = format!("{} of {} match", count(listed), count(all));
    let mut left = Vec::new();
    if state.layers.last() == Some(&Layer::Filter) {
        left.push(Piece::new(
            0,
            vec![
                Span::styled(format!("/ {}", clean(filter.text(), 500)), BOLD),
                Span::styled(" ", theme::SELECTED),
            ],
        ));
        right.insert(0, Piece::text(2, matching, PLAIN));
    } else if let Some(Layer::Note { about, text, .. }) = state.layers.last() {
        left.push(typed(format!("note on {about}: "), text));
    } else if let Some(piece) = state.layers.last().and_then(site_edit_actions::asked) {
        left.push(piece);
    } else if let Some(message) = state.message(model) {
        left.push(Piece::text(
            0,
            message.line(area.width.saturating_sub(2)),
            theme::tone(message.tone),
        ));
    } else {
        if !state.marks.is_empty() {
            let text = format!("{MARK} {} marked", count(state.marks.len()));
            left.push(Piece::text(0, text, BOLD));
        }
        if more > 0 {
            left.push(Piece::text(0, format!("…{} more", count(more)), PLAIN));
        }
        if is_new {
            let text = format!("{NEW} new since your last key");
            left.push(Piece::text(2, text, theme::tone(Tone::Warn)));
        }
        let selected = state.row(model, state.cursor);
        match selected.and_then(|row| remark(state, model, row.site)) {
            Some(remark) => {
                let text = format!("{}: {}", remark.mark, remark.text);
                left.push(Piece::text(1, text, theme::tone(Tone::Warn)));
            }
            None => {
                if is_marked {
                    let marks = "m maintenance  s silenced  a acknowledged";
                    left.push(Piece::text(3, marks, PLAIN));
                }
                left.extend(legend());
            }
        }
    }
    draw_pieces(buffer, area, left, right);
}

fn legend() -> impl Iterator<Item = Piece<'static>> {
    let latency = Piece::text(3, "▄ usual  █ slow", PLAIN);
    let marks = latency_strip::LEGEND
        .into_iter()
        .map(|(glyph, word, state)| {
            let style = theme::badge(state).style;
            let spans = vec![Span::styled(glyph, style), Span::raw(format!(" {word}"))];
            Piece::new(4, spans)
        });
    std::iter::once(latency).chain(marks)
}
