//! The Outages screen as a whole: the two lists and the bottom line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::domain::clean;
use crate::tui::click_targets::{ClickTarget, ClickTargets};
use crate::tui::format::count;
use crate::tui::history_view::{HistoryView, OutageView};
use crate::tui::keymap::Scope;
use crate::tui::outages_state::{OutageKey, OutagesState, Pane};
use crate::tui::state::{Layer, UiState};
use crate::tui::theme::{self, BOLD, DIM, NEW, PLAIN};
use crate::tui::view_model::{Tone, ViewModel};
use crate::tui::views::View;
use crate::tui::widgets::{Piece, draw_pieces, put, typed};

use super::outage_list::{self, OutageColumns};
use super::outbox;

/// The screen's row in the table `VIEWS`.
pub(in crate::tui::views) const VIEW: View = View {
    title: "Outages",
    scopes: &[
        Scope::Always,
        Scope::Everywhere,
        Scope::Screens,
        Scope::All,
        Scope::Outages,
    ],
    draw,
};

fn draw(
    state: &UiState,
    model: &ViewModel<'_>,
    area: Rect,
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
) {
    if area.height < 8 {
        return;
    }
    let history = state.history(model);
    let lines = |y: u16, height: u16| Rect {
        y: area.y + y,
        height,
        ..area
    };
    // The outbox gets the lines that the outages do not need, at least a third.
    let cause = OutagesState::common_cause(&state.outages.outages(history));
    let said = u16::from(cause.is_some());
    let rows = area.height - 4 - said;
    let wanted = u16::try_from(history.outages.len().max(1)).unwrap_or(u16::MAX);
    let upper = wanted.min(rows - rows / 3);
    let lower = rows - upper;
    if let Some(cause) = cause {
        put(
            buffer,
            area.x + 1,
            area.y,
            area.width - 2,
            &cause,
            theme::tone(Tone::Warn),
        );
    }
    let upper_list = lines(said, upper + 1);
    targets.note(upper_list, ClickTarget::Outages);
    draw_outages((buffer, targets), upper_list, state, model, history);
    let upper = upper + said;
    let is_front = state.outages.pane == Pane::Outbox;
    outbox::title(buffer, lines(upper + 1, 1), history, is_front);
    targets.note(lines(upper + 1, lower + 2), ClickTarget::Outbox);
    let lower_list = lines(upper + 2, lower + 1);
    draw_messages((buffer, targets), lower_list, state, model, history);
    bottom_line(buffer, lines(area.height - 1, 1), state, model, history);
}

fn draw_outages(
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    history: &HistoryView,
) {
    let columns = OutageColumns::of(area.width);
    let is_front = state.outages.pane == Pane::Outages;
    let sort = state.outages.sort;
    outage_list::heading((buffer, targets), area, &columns, sort, is_front);
    let rows = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    let outages = state.outages.outages(history);
    let selected = state.outages.outage_at(&outages);
    let top = top(selected, rows.height);
    let at = (state.now(model).wall, &state.options.zone);
    for ((place, outage), line) in outages.iter().enumerate().skip(top).zip(rows.rows()) {
        outage_list::row(buffer, line, &columns, outage, at);
        targets.note(line, ClickTarget::Outage(OutageKey::of(outage)));
        if is_new(state, model, outage) {
            put(buffer, line.x, line.y, 1, NEW, theme::tone(Tone::Warn));
        }
        if place == selected {
            select(buffer, line, is_front);
        }
    }
    scroll_bar(buffer, rows, top, outages.len());
    if outages.is_empty() {
        let text = nothing(state, history);
        put(buffer, rows.x + 1, rows.y, rows.width - 2, &text, PLAIN);
    }
}

/// Whether the outage was confirmed since the last key was pressed.
fn is_new(state: &UiState, model: &ViewModel<'_>, outage: &OutageView) -> bool {
    let seen = state.keys.seen_until(state.now(model));
    seen.is_some_and(|seen| outage.row.confirmed > seen.wall)
}

/// The text of an empty list of outages: the reason that it is empty.
fn nothing(state: &UiState, history: &HistoryView) -> String {
    match &history.error {
        Some(why) => why.clone(),
        None if !history.answered => "Reading the history …".to_owned(),
        None if history.outages.is_empty() => "No outage on record.".to_owned(),
        None => format!(
            "Nothing matches \"{}\". Esc clears the filter.",
            clean(&state.outages.filter, 60)
        ),
    }
}

fn draw_messages(
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    history: &HistoryView,
) {
    outbox::heading(buffer, area);
    let rows = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    let selected = state.outages.message_at(history);
    let top = top(selected, rows.height);
    let at = (state.now(model).wall, &state.options.zone);
    for ((place, message), line) in history
        .messages
        .iter()
        .enumerate()
        .skip(top)
        .zip(rows.rows())
    {
        outbox::row(buffer, line, message, at);
        targets.note(line, ClickTarget::Message(message.message.id.clone()));
        if place == selected && state.outages.pane == Pane::Outbox {
            select(buffer, line, true);
        }
    }
    scroll_bar(buffer, rows, top, history.messages.len());
    if history.messages.is_empty() && history.answered {
        let text = "No message yet: owners are told when an outage opens and when it ends.";
        put(buffer, rows.x + 1, rows.y, rows.width - 2, text, DIM);
    }
}

/// The index of the first row to show, such that the selected row is visible.
fn top(selected: usize, height: u16) -> usize {
    (selected + 1).saturating_sub(usize::from(height))
}

/// Draws the selected row reversed, or bold where the other list has the keys.
fn select(buffer: &mut Buffer, line: Rect, is_front: bool) {
    let line = Rect {
        width: line.width.saturating_sub(1),
        ..line
    };
    if !is_front {
        buffer.set_style(line, BOLD);
        return;
    }
    for x in line.left()..line.right() {
        if let Some(cell) = buffer.cell_mut((x, line.y)) {
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
        put(buffer, rows.right() - 1, rows.y + y as u16, 1, "▐", PLAIN);
    }
}

/// The bottom line: at the left the text being typed, or the newest message, or the legend; at
/// the right the number of outages.
fn bottom_line(
    buffer: &mut Buffer,
    line: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    history: &HistoryView,
) {
    let listed = state.outages.outages(history).len();
    let open = history
        .outages
        .iter()
        .filter(|one| one.row.ended.is_none())
        .count();
    let all = history.outages.len();
    let mut right = vec![Piece::text(
        1,
        format!(
            "{} open, {} of the latest {} shown",
            count(open),
            count(listed),
            count(all)
        ),
        PLAIN,
    )];
    if !model.on_call.is_empty() {
        let turns = model.on_call.iter();
        let turns = turns.map(|(owner, member)| format!("{member} ({owner})"));
        let text = format!("on call: {}", turns.collect::<Vec<_>>().join(", "));
        right.insert(0, Piece::text(1, clean(&text, 60), BOLD));
    }
    let is_new = history.outages.iter().any(|one| is_new(state, model, one));
    let left = match state.layers.last() {
        Some(Layer::Note { about, text, .. }) => typed(format!("note on {about}: "), text),
        Some(Layer::Filter) => typed("/ ".to_owned(), &state.outages.filter),
        _ => match state.message(model) {
            Some(message) => {
                let text = message.line(line.width.saturating_sub(2));
                Piece::text(0, text, theme::tone(message.tone))
            }
            None if is_new => {
                let text = format!("{NEW} new since your last key");
                Piece::text(0, text, theme::tone(Tone::Warn))
            }
            None => {
                let (sort, reverse) = state.outages.sort;
                let order = sort.words(reverse);
                let text = format!("{order}; ● sent  ○ pending  ✗ failed");
                Piece::text(2, text, DIM)
            }
        },
    };
    draw_pieces(buffer, line, vec![left], right);
}
