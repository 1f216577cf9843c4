//! The outbox: messages that were sent, that wait for their next try, or that failed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::domain::{Timestamp, clean};
use crate::tui::format::{age, count, moment};
use crate::tui::history_view::{DeliveryState, HistoryView, MessageView};
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::widgets::{Piece, draw_pieces, put};

/// The line above the outbox: the number of messages in each delivery state.
pub(super) fn title(buffer: &mut Buffer, line: Rect, history: &HistoryView, is_front: bool) {
    for x in line.left()..line.right() {
        put(buffer, x, line.y, 1, "─", DIM);
    }
    let heading = if is_front { BOLD } else { DIM };
    let mut pieces = vec![Piece::text(0, " OUTBOX ", heading)];
    let states = [
        DeliveryState::Pending,
        DeliveryState::Sent,
        DeliveryState::Failed,
    ];
    for (state, number) in states.into_iter().zip(history.outbox_counts) {
        let badge = theme::delivery(state);
        let style = if number > 0 { badge.style } else { DIM };
        let number = count(usize::try_from(number).unwrap_or(usize::MAX));
        let span = Span::styled(format!(" {} {number} {} ", badge.glyph, badge.word), style);
        pieces.push(Piece::new(1, vec![span]));
    }
    draw_pieces(buffer, line, pieces, Vec::new());
}

/// The first cell and the width of each column, in a table `width` cells wide.
fn columns(width: u16) -> [(u16, u16); 7] {
    let owner = if width < 100 { 9 } else { 14 };
    let mut x = 1;
    [9, 11, owner, 8, 5, 7, u16::MAX].map(|cells| {
        let column = (x, cells.min(width.saturating_sub(x + 1)));
        x = x.saturating_add(cells + u16::from(cells < u16::MAX));
        column
    })
}

pub(super) fn heading(buffer: &mut Buffer, line: Rect) {
    let words = [
        "STATE",
        "WHEN",
        "OWNER",
        "CHANNEL",
        "TRIES",
        "NEXT",
        "SUBJECT, AFTER THE LAST ERROR",
    ];
    for ((x, width), word) in columns(line.width).into_iter().zip(words) {
        put(buffer, line.x + x, line.y, width, word, DIM);
    }
}

pub(super) fn row(
    buffer: &mut Buffer,
    line: Rect,
    message: &MessageView,
    (now, zone): (Timestamp, &jiff::tz::TimeZone),
) {
    let badge = theme::delivery(message.delivery);
    let next = match message.delivery {
        DeliveryState::Pending if message.next > now => age(message.next.since(now)),
        DeliveryState::Pending => "now".to_owned(),
        _ => "-".to_owned(),
    };
    let subject = clean(&message.subject, 400);
    let text = match &message.answer {
        Some(answer) if message.delivery != DeliveryState::Sent => {
            format!("{}: {subject}", clean(answer, 400))
        }
        _ => subject,
    };
    let cells = [
        (format!("{} {}", badge.glyph, badge.word), badge.style),
        (
            moment(message.settled.unwrap_or(message.at), now, zone),
            PLAIN,
        ),
        (clean(&message.owner, 60), PLAIN),
        (clean(&message.channel, 20), PLAIN),
        (format!("{:>5}", message.attempts), PLAIN),
        (next, PLAIN),
        (text, PLAIN),
    ];
    for ((x, width), (text, style)) in columns(line.width).into_iter().zip(cells) {
        put(buffer, line.x + x, line.y, width, &text, style);
    }
}
