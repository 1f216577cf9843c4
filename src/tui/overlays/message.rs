//! The page of a message of the outbox: recipient, state of delivery and text.

use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::domain::{Timestamp, clean};
use crate::history::{DeliveryState, QueuedMessage};
use crate::tui::format::{age, plural, when, wrap};
use crate::tui::state::UiState;
use crate::tui::theme::{self, PLAIN};
use crate::tui::view_model::ViewModel;

use super::page_text::Text;

/// The title of the page.
pub(crate) const TITLE: &str = "Message";

/// The message `id`, in lines of at most `width` cells.
pub(crate) fn lines(
    state: &UiState,
    model: &ViewModel<'_>,
    id: &str,
    width: u16,
) -> Vec<Line<'static>> {
    let mut page = Text::new(width);
    let messages = &state.history(model).messages;
    let Some(queued) = messages.iter().find(|queued| &*queued.message.id == id) else {
        page.say("", "This message is no longer among those listed.", PLAIN);
        return page.lines;
    };
    let now = state.now(model).wall;
    let time = |at| when(at, now, &state.options.zone);
    let to = format!(
        "{} by {}",
        clean(&queued.message.owner, 60),
        clean(&queued.message.channel, 20)
    );
    page.say("To", &to, PLAIN);
    let (became, style) = state_in_words(queued, (now, &state.options.zone));
    page.say("State", &became, style);
    page.say("Written", &time(queued.message.at), PLAIN);
    if let Some(answer) = &queued.answer {
        page.say("Answer", &clean(answer, 1_000), PLAIN);
    }
    page.say("Id", &clean(&queued.message.id, 100), PLAIN);
    page.heading(clean(&queued.message.subject, 400));
    for line in queued.message.body.lines() {
        for part in wrap(&clean(line, 1_000), page.width) {
            page.lines.push(Line::raw(part));
        }
    }
    page.lines
}

/// What became of a message, and the style of its state.
pub(super) fn state_in_words(
    queued: &QueuedMessage,
    (now, zone): (Timestamp, &TimeZone),
) -> (String, Style) {
    let time = |at| when(at, now, zone);
    let badge = theme::delivery(queued.delivery);
    let mut became = format!("{} {}", badge.glyph, badge.word);
    if let Some(settled) = queued.settled {
        became.push_str(&format!(" {}", time(settled)));
    }
    if queued.attempts > 0 {
        let tries = plural(queued.attempts, "try");
        became.push_str(&format!(" after {tries}"));
    }
    match queued.delivery {
        DeliveryState::Waiting if queued.next > now => {
            became.push_str(&format!(
                " until {}, for the hours of its owner",
                time(queued.next)
            ));
        }
        DeliveryState::Waiting => became.push_str(" for others that it is sent with"),
        DeliveryState::Pending | DeliveryState::Retrying => {
            became.push_str(&format!(", next in {}", age(queued.next.since(now))));
        }
        DeliveryState::Sent | DeliveryState::Failed => {}
    }
    (became, badge.style)
}
