//! Chooses the message in the status line. The answer to a key is shown at once, a warning after
//! 1.5 s of a switch's receipt, other news when the receipt's 5 s are over.

use std::time::Duration;

use crate::domain::Moment;
use crate::tui::{StatusMessage, Tone};

/// How long a receipt is shown before news.
const RECEIPT_TIME: Duration = Duration::from_secs(5);

/// How long a receipt is shown before a warning, and a message about its switch before it.
const RECEIPT_MIN: Duration = Duration::from_millis(1_500);

/// The most messages that can be read again.
const MOST_RECENT: usize = 20;

/// The cause of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageCause {
    /// An event that no key caused.
    News,
    /// The answer to a key.
    Key,
}

/// The messages that may still be shown.
#[derive(Debug, Default)]
pub(super) struct StatusLine {
    /// The newest message of any cause.
    newest: Option<StatusMessage>,
    /// The newest answer to a key, or warning, which do not wait for the end of a receipt.
    pressing: Option<(StatusMessage, MessageCause)>,
    receipt: Option<Receipt>,
    /// The last messages, the newest last.
    recent: Vec<StatusMessage>,
}

#[derive(Debug)]
struct Receipt {
    message: StatusMessage,
    /// The pressing message when the receipt came: often why the switch gave fewer workers.
    before: Option<StatusMessage>,
}

impl Receipt {
    /// When it is shown first.
    fn from(&self) -> Moment {
        let at = self.message.at;
        self.before
            .as_ref()
            .map_or(at, |before| at.max(before.at + RECEIPT_MIN))
    }
}

impl StatusLine {
    pub(super) fn say(&mut self, message: StatusMessage, cause: MessageCause) {
        if cause == MessageCause::Key || matches!(message.tone, Tone::Warn | Tone::Bad) {
            self.pressing = Some((message.clone(), cause));
        }
        self.keep(&message);
        self.newest = Some(message);
    }

    /// Adds the receipt of a switch.
    pub(super) fn give(&mut self, receipt: StatusMessage) {
        let before = self.pressing.take().map(|(message, _)| message);
        self.keep(&receipt);
        self.newest = Some(receipt.clone());
        self.receipt = Some(Receipt {
            message: receipt,
            before,
        });
    }

    fn keep(&mut self, message: &StatusMessage) {
        if self.recent.len() == MOST_RECENT {
            self.recent.remove(0);
        }
        self.recent.push(message.clone());
    }

    /// The last messages, shown or not.
    pub(super) fn recent(&self) -> &[StatusMessage] {
        &self.recent
    }

    /// The newest message, shown or not.
    pub(super) const fn newest(&self) -> Option<&StatusMessage> {
        self.newest.as_ref()
    }

    /// The message to show; `None` if there was none yet.
    pub(super) fn shown(&self, now: Moment) -> Option<&StatusMessage> {
        let Some(receipt) = &self.receipt else {
            return self.newest();
        };
        let from = receipt.from();
        if now >= from + RECEIPT_TIME {
            return self.newest();
        }
        match &self.pressing {
            Some((answer, MessageCause::Key)) => Some(answer),
            Some((warning, MessageCause::News)) if now >= from + RECEIPT_MIN => Some(warning),
            _ if now < from => receipt.before.as_ref(),
            _ => Some(&receipt.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    fn message(tone: Tone, text: &str, millis: u64) -> StatusMessage {
        StatusMessage {
            text: text.to_owned(),
            short: None,
            tone,
            at: at(millis),
            sticky: false,
        }
    }

    /// A status line with a receipt of ten seconds after the start.
    fn with_receipt() -> StatusLine {
        let mut status_line = StatusLine::default();
        let earlier = message(Tone::Bad, "DOWN: a", 1_000);
        status_line.say(earlier, MessageCause::News);
        status_line.give(message(Tone::Good, "receipt", 10_000));
        status_line
    }

    fn shown(status_line: &StatusLine, millis: u64) -> &str {
        &status_line.shown(at(millis)).unwrap().text
    }

    #[test]
    fn the_newest_message_stands_where_no_receipt_does() {
        let mut status_line = StatusLine::default();
        assert!(status_line.shown(at(0)).is_none());
        for text in ["one", "two"] {
            status_line.say(message(Tone::Info, text, 0), MessageCause::News);
            assert_eq!(shown(&status_line, 0), text);
        }
    }

    #[test]
    fn news_waits_for_the_end_of_a_receipt() {
        let mut status_line = with_receipt();
        status_line.say(
            message(Tone::Good, "UP again: a", 10_100),
            MessageCause::News,
        );
        assert_eq!(shown(&status_line, 10_100), "receipt");
        assert_eq!(shown(&status_line, 14_999), "receipt");
        assert_eq!(shown(&status_line, 15_000), "UP again: a");
    }

    #[test]
    fn an_answer_to_a_key_is_shown_at_once_and_not_covered_again() {
        let mut status_line = with_receipt();
        status_line.say(message(Tone::Info, "16 workers", 10_100), MessageCause::Key);
        assert_eq!(shown(&status_line, 10_100), "16 workers");
        status_line.say(
            message(Tone::Good, "UP again: a", 10_200),
            MessageCause::News,
        );
        assert_eq!(shown(&status_line, 14_000), "16 workers");
        assert_eq!(shown(&status_line, 15_000), "UP again: a");
    }

    #[test]
    fn a_warning_leaves_a_receipt_long_enough_to_be_read() {
        let mut status_line = with_receipt();
        status_line.say(message(Tone::Bad, "DOWN: b", 10_000), MessageCause::News);
        assert_eq!(shown(&status_line, 11_499), "receipt");
        assert_eq!(shown(&status_line, 11_500), "DOWN: b");
    }

    #[test]
    fn what_was_said_of_a_switch_stands_first_and_then_its_receipt() {
        let mut status_line = with_receipt();
        status_line.say(message(Tone::Warn, "16 -> 2", 20_000), MessageCause::Key);
        assert_eq!(shown(&status_line, 20_000), "16 -> 2");
        status_line.give(message(Tone::Good, "second", 20_100));
        status_line.say(message(Tone::Bad, "DOWN: b", 20_200), MessageCause::News);
        assert_eq!(shown(&status_line, 21_499), "16 -> 2");
        assert_eq!(shown(&status_line, 21_500), "second");
        assert_eq!(shown(&status_line, 22_999), "second");
        assert_eq!(shown(&status_line, 23_000), "DOWN: b");
    }

    #[test]
    fn a_receipt_that_comes_late_is_shown_at_once() {
        let mut status_line = with_receipt();
        status_line.say(message(Tone::Warn, "16 -> 2", 20_000), MessageCause::Key);
        status_line.give(message(Tone::Good, "second", 30_000));
        assert_eq!(shown(&status_line, 30_000), "second");
    }
}
