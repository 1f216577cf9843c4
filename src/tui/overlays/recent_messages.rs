//! The page of the last messages of the status line, the newest first.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::{Timestamp, clean};
use crate::tui::format::{clock, wrap};
use crate::tui::state::{MOST_RECENT_MESSAGES, UiState};
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::view_model::{StatusMessage, ViewModel};

/// The title of the page.
pub(crate) const TITLE: &str = "Last messages";

/// The width of the times, in cells.
const TIME_CELLS: usize = 10;

/// The last messages of the app and of the screen, in lines of at most `width` cells.
pub(crate) fn lines(state: &UiState, model: &ViewModel<'_>, width: u16) -> Vec<Line<'static>> {
    let mut messages: Vec<&StatusMessage> = model.messages.iter().chain(&state.notes).collect();
    messages.sort_by_key(|message| std::cmp::Reverse(message.at));
    messages.truncate(MOST_RECENT_MESSAGES);
    let width = usize::from(width).saturating_sub(2 + TIME_CELLS);
    let mut lines = Vec::new();
    for message in messages {
        let ago = model.now.mono.since(message.at).as_micros();
        let ago = i64::try_from(ago).unwrap_or(i64::MAX);
        let at = Timestamp::from_micros(model.now.wall.as_micros().saturating_sub(ago));
        let mut time = clock(at, &state.options.zone);
        for part in wrap(&clean(&message.text, 1_000), width) {
            lines.push(line(&time, part, theme::tone(message.tone)));
            time.clear();
        }
    }
    if lines.is_empty() {
        lines.push(line("", "Nothing has been said yet.".to_owned(), PLAIN));
    }
    lines
}

fn line(time: &str, text: String, style: Style) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{time:<TIME_CELLS$}"), DIM),
        Span::styled(text, style),
    ])
}
