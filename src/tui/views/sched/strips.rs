//! The lines below the lanes: strips of queued checks and checks in flight, axis, legend.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::domain::{Moment, plural};
use crate::tui::lanes::{Axis, LEGEND, LoadStrip, block, ticks};
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::view_model::ViewModel;
use crate::tui::widgets::{Piece, draw_pieces, put};

use super::lane_layout::LaneLayout;

/// The label of the present on the axis.
const HAND: &str = "^now";

/// The label of the moment at which the sites of a sweep are due again.
const DEADLINE: &str = "|due again";

/// The mean numbers of checks in flight, and of checks that wait for a worker, in each cell.
pub(crate) fn loads(layout: &LaneLayout<'_>, model: &ViewModel<'_>) -> (Vec<f64>, Vec<f64>) {
    let (mut flight, mut queue) = (LoadStrip::new(&layout.axis), LoadStrip::new(&layout.axis));
    for check in &layout.checks {
        flight.add(check.started, check.ended);
        queue.add(check.due, check.started);
    }
    let (.., now) = layout.axis.range();
    for job in model.trace.store.waiting() {
        queue.add(job.due, now);
    }
    (flight.means(), queue.means())
}

/// Draws a strip: a label, and for each cell a block as high as its mean's share of `most`.
pub(crate) fn draw(
    buffer: &mut Buffer,
    line: Rect,
    layout: &LaneLayout<'_>,
    text: &str,
    means: &[f64],
    most: usize,
) {
    let width = layout.columns.width();
    put(buffer, line.x + 1, line.y, width - 2, text, PLAIN);
    for (index, mean) in means.iter().enumerate() {
        let x = line.x + width + index as u16;
        if let (Some(glyph), Some(cell)) = (block(*mean, most), buffer.cell_mut((x, line.y))) {
            let style = if layout.axis.is_faded(line.y, index) {
                DIM
            } else {
                theme::NETWORK
            };
            cell.set_symbol(glyph).set_style(style);
        }
    }
}

/// Draws the axis: seconds of the newest page, the present, and when the sites are due again.
pub(crate) fn draw_axis(
    buffer: &mut Buffer,
    line: Rect,
    layout: &LaneLayout<'_>,
    deadline: Option<Moment>,
) {
    let (axis, left) = (&layout.axis, line.x + layout.columns.width());
    put(
        buffer,
        line.x + 1,
        line.y,
        layout.columns.width() - 2,
        "seconds",
        DIM,
    );
    let deadline = deadline.and_then(|at| future(axis, at));
    let taken = |from: usize, to: usize| {
        let deadline = deadline.map(|at| (at, at + DEADLINE.len()));
        let hand = axis.hand().map(|at| (at, at + HAND.len()));
        let mut others = deadline.into_iter().chain(hand);
        others.any(|(first, end)| from <= end && to + 1 >= first)
    };
    for (index, text) in ticks(axis) {
        if !taken(index, index + text.len()) {
            let width = text.len() as u16;
            put(buffer, left + index as u16, line.y, width, &text, DIM);
        }
    }
    if let Some(hand) = axis.hand() {
        let room = (axis.cells() - hand).min(HAND.len()) as u16;
        put(buffer, left + hand as u16, line.y, room, HAND, PLAIN);
    }
    let apart = |at: &usize| {
        axis.hand()
            .is_none_or(|hand| hand > at + DEADLINE.len() || hand + HAND.len() < *at)
    };
    if let Some(index) = deadline.filter(apart) {
        let room = (axis.cells() - index).min(DEADLINE.len()) as u16;
        put(
            buffer,
            left + index as u16,
            line.y,
            room,
            DEADLINE,
            theme::tone(crate::tui::view_model::Tone::Warn),
        );
    }
}

/// The cell of a moment of the newest page, past or to come; `None` outside of the page.
fn future(axis: &Axis, at: Moment) -> Option<usize> {
    if at < axis.origin() {
        return None;
    }
    let index = (at.since(axis.origin()).as_nanos() / axis.cell().as_nanos().max(1)) as usize;
    (index < axis.cells()).then_some(index)
}

/// Draws the legend, as many symbols with their words as fit, after the text `more`.
pub(crate) fn draw_legend(buffer: &mut Buffer, line: Rect, polled: bool, more: &str) {
    let mut left = Vec::new();
    if !more.is_empty() {
        left.push(Piece::text(0, more, PLAIN));
    }
    for (symbol, word, rank) in &LEGEND {
        if *word == "polled" && !polled {
            continue;
        }
        let spans = vec![
            Span::styled(symbol.glyph, symbol.style),
            Span::styled(format!(" {word}"), PLAIN),
        ];
        left.push(Piece::new(*rank, spans));
    }
    let down = theme::badge(crate::monitor::State::Down);
    left.push(Piece::new(
        2,
        vec![
            Span::styled(down.glyph, down.style),
            Span::styled(" down", PLAIN),
        ],
    ));
    draw_pieces(buffer, line, left, Vec::new());
}

/// The number of rows left out: "…9 more sites, not shown"; empty for 0.
pub(crate) fn hidden(number: usize, noun: &str) -> String {
    if number == 0 {
        return String::new();
    }
    format!("…{}, not shown", plural(number, &format!("more {noun}")))
}
