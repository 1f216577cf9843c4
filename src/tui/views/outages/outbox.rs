//! The outbox: messages that were sent, that wait by a rule or for their next try, or that were
//! given up.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::domain::{Timestamp, clean};
use crate::history::{DeliveryState, QueuedMessage};
use crate::tui::format::{age, clock_minute, count, moment};
use crate::tui::history_view::HistoryView;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::widgets::{Piece, draw_pieces, put};

/// The line above the outbox: the number of messages in each delivery state.
pub(super) fn title(buffer: &mut Buffer, line: Rect, history: &HistoryView, is_front: bool) {
    for x in line.left()..line.right() {
        put(buffer, x, line.y, 1, "─", DIM);
    }
    let (title, style) = if is_front {
        ("›OUTBOX ", BOLD)
    } else {
        (" OUTBOX ", DIM)
    };
    let mut pieces = vec![Piece::text(0, title, style)];
    let counts = &history.outbox_counts;
    let states = [
        (DeliveryState::Waiting, counts.waiting),
        (DeliveryState::Pending, counts.pending),
        (DeliveryState::Retrying, counts.retrying),
        (DeliveryState::Sent, counts.sent),
        (DeliveryState::Failed, counts.failed),
    ];
    for (state, counted) in states {
        let badge = theme::delivery(state);
        let style = if counted > 0 { badge.style } else { DIM };
        let number = count(usize::try_from(counted).unwrap_or(usize::MAX));
        let span = Span::styled(format!(" {} {number} {} ", badge.glyph, badge.word), style);
        // Where there is little room, what there is none of goes first.
        let rank = if counted > 0 { 1 } else { 2 };
        pieces.push(Piece::new(rank, vec![span]));
    }
    draw_pieces(buffer, line, pieces, Vec::new());
}

/// The first cell and the width of each column, in a table `width` cells wide.
fn columns(width: u16) -> [(u16, u16); 7] {
    let owner = if width < 100 { 9 } else { 14 };
    let mut x = 1;
    [10, 11, owner, 8, 5, 8, u16::MAX].map(|cells| {
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
    queued: &QueuedMessage,
    (now, zone): (Timestamp, &jiff::tz::TimeZone),
) {
    let badge = theme::delivery(queued.delivery);
    let word = badge.word;
    let next = match queued.delivery {
        DeliveryState::Waiting if queued.next > now => clock_minute(queued.next, zone),
        DeliveryState::Waiting => "collects".to_owned(),
        DeliveryState::Pending | DeliveryState::Retrying if queued.next > now => {
            age(queued.next.since(now))
        }
        DeliveryState::Pending | DeliveryState::Retrying => "now".to_owned(),
        DeliveryState::Sent | DeliveryState::Failed => "-".to_owned(),
    };
    let subject = clean(&queued.message.subject, 400);
    let text = match &queued.answer {
        Some(answer) if queued.delivery != DeliveryState::Sent => {
            format!("{}: {subject}", clean(answer, 400))
        }
        _ => subject,
    };
    let cells = [
        (format!("{} {word}", badge.glyph), badge.style),
        (
            moment(queued.settled.unwrap_or(queued.message.at), now, zone),
            PLAIN,
        ),
        (clean(&queued.message.owner, 60), PLAIN),
        (clean(&queued.message.channel, 20), PLAIN),
        (format!("{:>5}", queued.attempts), PLAIN),
        (next, PLAIN),
        (text, PLAIN),
    ];
    for ((x, width), (text, style)) in columns(line.width).into_iter().zip(cells) {
        put(buffer, line.x + x, line.y, width, &text, style);
    }
}
