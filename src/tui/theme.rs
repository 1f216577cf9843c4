//! Glyph, word and style of each state.
//!
//! Only the terminal's sixteen colours are used, and none as a background, so that the reader's
//! own scheme, light or dark, applies. Colour is never the only sign: each state has a glyph and
//! a word too, and yellow text, which is faint on white, is also bold.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::Reason;
use crate::monitor::{SiteState, State};

use super::view_model::Tone;
use crate::history::DeliveryState;

/// The glyph, word and style of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) glyph: &'static str,
    pub(crate) word: &'static str,
    pub(crate) style: Style,
}

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
pub(crate) const DIM: Style = PLAIN.add_modifier(Modifier::DIM);
pub(crate) const SELECTED: Style = PLAIN.add_modifier(Modifier::REVERSED);
/// The mark of what happened since the last key.
pub(crate) const NEW: &str = "*";
const GOOD: Style = PLAIN.fg(Color::Green);
const WARN: Style = PLAIN.fg(Color::Yellow).add_modifier(Modifier::BOLD);
const BAD: Style = PLAIN.fg(Color::Red).add_modifier(Modifier::BOLD);
/// A problem of the program itself, as opposed to one of a site.
const OURS: Style = PLAIN.fg(Color::Magenta).add_modifier(Modifier::BOLD);
/// Time spent waiting for the network.
pub(crate) const NETWORK: Style = PLAIN.fg(Color::Blue);

/// The badge of a state.
pub(crate) const fn badge(state: State) -> Badge {
    let (glyph, word, style) = match state {
        State::Down => ("✗", "DOWN", BAD),
        State::Suspect => ("!", "SUSPECT", WARN),
        State::Unknown => ("?", "UNKNOWN", OURS),
        State::Missed => ("·", "MISSED", OURS),
        State::Degraded => ("▲", "DEGRADED", WARN),
        State::Pending => ("○", "NEW", DIM),
        State::Up => ("●", "UP", GOOD),
        State::Paused => ("‖", "PAUSED", DIM),
    };
    Badge { glyph, word, style }
}

/// The badge of a site: that of its state, with the reason as the word where it is degraded.
pub(crate) fn site_badge(site: &SiteState) -> Badge {
    let state = site.state();
    let mut badge = badge(state);
    if state == State::Degraded {
        let reason = site.last().and_then(|last| last.reason);
        badge.word = if reason == Some(Reason::Certificate) {
            "CERT"
        } else {
            "SLOW"
        };
    }
    badge
}

/// The badge of a message's delivery.
pub(crate) const fn delivery(delivery: DeliveryState) -> Badge {
    let (glyph, word, style) = match delivery {
        DeliveryState::Waiting => ("·", "waiting", PLAIN),
        DeliveryState::Pending => ("○", "pending", WARN),
        DeliveryState::Sent => ("●", "sent", GOOD),
        DeliveryState::Failed => ("✗", "GAVE UP", BAD),
    };
    Badge { glyph, word, style }
}

/// The style of a status message.
pub(crate) const fn tone(tone: Tone) -> Style {
    match tone {
        Tone::Info => PLAIN,
        Tone::Good => GOOD,
        Tone::Warn => WARN,
        Tone::Bad => BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn no_two_states_share_a_glyph_or_a_word() {
        let glyphs: HashSet<_> = State::ALL.map(|state| badge(state).glyph).into();
        let words: HashSet<_> = State::ALL.map(|state| badge(state).word).into();
        assert_eq!((glyphs.len(), words.len()), (8, 8));
        assert!(glyphs.iter().all(|glyph| glyph.width() == 1));
    }

    #[test]
    fn no_style_has_a_background_and_yellow_is_bold() {
        let states = State::ALL.map(|state| badge(state).style);
        let tones = [Tone::Info, Tone::Good, Tone::Warn, Tone::Bad].map(tone);
        for style in states.into_iter().chain(tones).chain([NETWORK, SELECTED]) {
            assert_eq!(style.bg, None);
            assert!(style.fg != Some(Color::Yellow) || style.add_modifier.contains(Modifier::BOLD));
        }
    }
}
