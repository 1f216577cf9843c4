//! The page of the messages about an outage, the newest first: what was sent to whom, what waits and
//! until when, what was given up and why.

use ratatui::text::Line;

use crate::domain::clean;
use crate::tui::format::when;
use crate::tui::outages_state::OutageKey;
use crate::tui::site_remark::untold_in_words;
use crate::tui::state::UiState;
use crate::tui::theme::{self, PLAIN};
use crate::tui::view_model::ViewModel;

use super::message::state_in_words;
use super::outage::NOT_LISTED;
use super::page_text::Text;

/// The title of the page.
pub(crate) fn title(outage: &OutageKey) -> String {
    format!("Messages about the outage of {}", clean(&outage.name, 60))
}

/// The page, in lines of at most `width` cells.
pub(crate) fn lines(
    state: &UiState,
    model: &ViewModel<'_>,
    key: &OutageKey,
    width: u16,
) -> Vec<Line<'static>> {
    let mut page = Text::new(width);
    let history = state.history(model);
    let Some(outage) = key.find(history) else {
        page.say("", NOT_LISTED, PLAIN);
        return page.lines;
    };
    let at = (state.now(model).wall, &state.options.zone);
    if outage.row.messages.is_empty() {
        let why = untold_in_words(outage.row.untold.as_ref(), usize::MAX, at);
        page.say("", &format!("None: {why}."), PLAIN);
    }
    for message in outage.row.messages.iter().rev() {
        let to = format!(
            "{} by {}",
            clean(&message.owner, 60),
            clean(&message.channel, 20)
        );
        page.heading(to);
        let mut queued = history.messages.iter();
        match queued.find(|queued| queued.message.id == message.id) {
            Some(queued) => {
                let (text, style) = state_in_words(queued, at);
                page.say("State", &text, style);
                page.say("Says", &clean(&queued.message.subject, 400), PLAIN);
                if let Some(answer) = &queued.answer {
                    page.say("Answer", &clean(answer, 1_000), PLAIN);
                }
            }
            // It is not among the latest of the outbox.
            None => {
                let badge = theme::delivery(message.delivery);
                let mut text = format!("{} {}", badge.glyph, badge.word);
                if let Some(settled) = message.settled {
                    text.push_str(&format!(" {}", when(settled, at.0, at.1)));
                }
                page.say("State", &text, badge.style);
            }
        }
    }
    page.lines
}
