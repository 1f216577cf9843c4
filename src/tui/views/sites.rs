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

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use crate::domain::{Now, RanOn, Reason, brief, clean};
use crate::monitor::State as SiteIs;
use crate::tui::format::{age, count, is_late, lateness, percent};
use crate::tui::keymap::Scope;
use crate::tui::site_order::Sort;
use crate::tui::state::{Layer, SiteRow, UiState};
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::view_model::ViewModel;
use crate::tui::widgets::{Piece, draw_pieces, latency_strip, put};

use super::View;
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

fn draw(state: &UiState, model: &ViewModel<'_>, area: Rect, buffer: &mut Buffer) {
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
    heading(buffer, area, &placed, state.order.sort(), far);
    let now = state.now(model);
    for ((row, place), line) in seen.iter().zip(places).zip(rows.rows()) {
        let line = Rect {
            width: line.width.saturating_sub(1),
            ..line
        };
        match row {
            Some(row) => draw_row(buffer, line, &placed, row, (now, far)),
            None => put(buffer, line.x + 1, line.y, line.width - 1, "removed", DIM),
        }
        if place == state.cursor {
            select(buffer, line);
        }
    }
    if seen.is_empty() {
        let text = if state.order.filter().is_empty() {
            "No sites yet: add a [[sites]] table with a url to sites.toml.".to_owned()
        } else {
            format!(
                "Nothing matches \"{}\". Esc clears the filter.",
                state.order.filter().text()
            )
        };
        put(buffer, rows.x + 1, rows.y, rows.width - 1, &text, PLAIN);
    }
    scroll_bar(buffer, rows, top, total);
    bottom_line(
        buffer,
        bottom,
        state,
        model,
        total.saturating_sub(seen.len()),
    );
}

/// The headings; that of the column by which the list is sorted is bold and has an arrow: down in
/// the order that is usual for it, up where it is reversed.
fn heading(
    buffer: &mut Buffer,
    area: Rect,
    placed: &[PlacedColumn],
    (sort, reverse): (Sort, bool),
    far: bool,
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
    let used = unicode_width::UnicodeWidthStr::width(text) as u16;
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

/// Host, process and thread that ran a check, in `width` cells. The host is cut first, so that
/// the process id stays whole.
fn ran_far(on: &RanOn, width: usize) -> String {
    let pid = format!("/{}", on.pid);
    let host =
        crate::tui::format::cut(&clean(&on.host, 60), width.saturating_sub(pid.len()).max(3));
    crate::tui::format::cut(&format!("{host}{pid}/{}", clean(&on.thread, 60)), width)
}

/// Text and style of one cell of the table. `far`: checks run on other hosts.
fn cell(
    column: SiteColumn,
    width: u16,
    row: &SiteRow<'_>,
    (now, far): (Now, bool),
) -> (String, Style) {
    let site = row.site;
    let last = site.last();
    let badge = theme::site_badge(site);
    let none = || ("-".to_owned(), DIM);
    match column {
        SiteColumn::State => {
            let mut text = format!("{} {}", badge.glyph, badge.word);
            if site.state() <= SiteIs::Missed {
                text.push_str(&format!(" {}", age(site.lasting(now.mono))));
            }
            (text, badge.style)
        }
        SiteColumn::Site => {
            let style = if site.state() == SiteIs::Down {
                BOLD
            } else {
                PLAIN
            };
            (clean(&site.site().name, 200), style)
        }
        SiteColumn::Code => last
            .and_then(|last| last.status)
            .map_or_else(none, |status| (status.to_string(), PLAIN)),
        SiteColumn::Latency => last.map_or_else(none, |last| {
            // A failed check shows its reason instead of a time; a bad status is in CODE.
            match last.reason {
                Some(Reason::Status | Reason::Slow | Reason::Certificate) | None => {
                    (brief(last.latency), PLAIN)
                }
                Some(reason) => (reason.word().to_owned(), badge.style),
            }
        }),
        SiteColumn::Checks => none(),
        SiteColumn::P50 => quantile(row, |(p50, _)| p50),
        SiteColumn::P95 => quantile(row, |(_, p95)| p95),
        SiteColumn::Uptime => site
            .uptime(now.mono)
            .map_or_else(none, |share| (percent(share), PLAIN)),
        SiteColumn::Next if site.state() == SiteIs::Paused => none(),
        SiteColumn::Next => match row.due {
            Some(due) if due > now.mono => {
                // Rounded up, so that "now" appears when the check is due, not a second before.
                let rest = due.since(now.mono) + Duration::from_millis(999);
                (age(rest), PLAIN)
            }
            Some(_) => ("now".to_owned(), PLAIN),
            None => none(),
        },
        SiteColumn::RanOn => last.map_or_else(none, |last| {
            let on = &last.ran_on;
            if far && width < 24 {
                return (ran_far(on, usize::from(width)), PLAIN);
            }
            let tail = if width >= 16 {
                format!("/{}", on.tid)
            } else {
                String::new()
            };
            let head = if width >= 24 {
                format!("{}/{} ", clean(&on.host, 60), on.pid)
            } else {
                String::new()
            };
            // A long name is cut before the ids are.
            let room = usize::from(width).saturating_sub(tail.len());
            let name = clean(&on.thread, 60);
            (
                crate::tui::format::cut(&format!("{head}{name}"), room) + &tail,
                PLAIN,
            )
        }),
        SiteColumn::Late => last.map_or_else(none, |last| {
            let style = if is_late(last.late) {
                theme::tone(crate::tui::view_model::Tone::Warn)
            } else {
                PLAIN
            };
            (lateness(last.late), style)
        }),
        SiteColumn::Tags => {
            let tags = site.site().tags.iter().map(|tag| clean(tag, 60));
            let owners = site
                .site()
                .owners
                .iter()
                .map(|owner| format!("@{}", clean(owner, 60)));
            (tags.chain(owners).collect::<Vec<_>>().join(" "), PLAIN)
        }
    }
}

fn quantile(row: &SiteRow<'_>, which: fn((Duration, Duration)) -> Duration) -> (String, Style) {
    row.site
        .recent_checks()
        .quantiles()
        .map_or_else(|| ("-".to_owned(), DIM), |both| (brief(which(both)), PLAIN))
}

/// Draws the selected row reversed as a whole, without the colours of its cells.
fn select(buffer: &mut Buffer, line: Rect) {
    for x in line.left()..line.right() {
        if let Some(cell) = buffer.cell_mut((x, line.y)) {
            cell.fg = ratatui::style::Color::Reset;
            cell.modifier.remove(Modifier::DIM);
        }
    }
    buffer.set_style(line, theme::SELECTED);
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
/// out and the legend; at the right sort order and position.
fn bottom_line(
    buffer: &mut Buffer,
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    more: usize,
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
    } else if let Some(message) = state.message(model) {
        left.push(Piece::text(
            0,
            message.line(area.width.saturating_sub(2)),
            theme::tone(message.tone),
        ));
    } else {
        if more > 0 {
            left.push(Piece::text(0, format!("…{} more", count(more)), PLAIN));
        }
        left.extend(legend());
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
