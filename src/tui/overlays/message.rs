//! A letter of the outbox, whole: to whom, what became of it, and what it says.

use ratatui::text::Line;

use crate::domain::clean;
use crate::tui::format::{age, plural, when, wrap};
use crate::tui::history_view::DeliveryState;
use crate::tui::state::State;
use crate::tui::theme::{self, PLAIN};
use crate::tui::view_model::Scene;

use super::page_text::Text;

/// Its title.
pub(crate) const TITLE: &str = "Letter";

/// The letter `id`, in lines of at most `width` cells.
pub(crate) fn lines(state: &State, scene: &Scene<'_>, id: &str, width: u16) -> Vec<Line<'static>> {
    let mut page = Text::new(width);
    let letters = &state.past(scene).letters;
    let Some(letter) = letters.iter().find(|letter| &*letter.id == id) else {
        page.say("", "This letter is no longer among the latest.", PLAIN);
        return page.lines;
    };
    let now = state.now(scene).wall;
    let time = |at| when(at, now, &state.options.zone);
    let to = format!(
        "{} by {}",
        clean(&letter.owner, 60),
        clean(&letter.channel, 20)
    );
    page.say("To", &to, PLAIN);
    let badge = theme::delivery(letter.delivery);
    let mut became = format!("{} {}", badge.glyph, badge.word);
    if let Some(settled) = letter.settled {
        became.push_str(&format!(" {}", time(settled)));
    }
    if letter.attempts > 0 {
        let tries = plural(letter.attempts as usize, "try").replace("trys", "tries");
        became.push_str(&format!(" after {tries}"));
    }
    if letter.delivery == DeliveryState::Pending {
        became.push_str(&format!(", next in {}", age(letter.next.since(now))));
    }
    page.say("State", &became, badge.style);
    page.say("Written", &time(letter.at), PLAIN);
    if let Some(answer) = &letter.answer {
        page.say("Answer", &clean(answer, 1_000), PLAIN);
    }
    page.say("Id", &clean(&letter.id, 100), PLAIN);
    page.heading(clean(&letter.subject, 400));
    for line in letter.body.lines() {
        for part in wrap(&clean(line, 1_000), page.width) {
            page.lines.push(Line::raw(part));
        }
    }
    page.lines
}
