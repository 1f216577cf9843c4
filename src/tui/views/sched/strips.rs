//! Below the lanes: how many checks wait and are in flight, the axis of time, the marks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::domain::Moment;
use crate::tui::format::count;
use crate::tui::lanes::{Axis, LEGEND, Load, block};
use crate::tui::scene::Scene;
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::widgets::{Piece, draw_pieces, put};

use super::board::Board;

/// The number of checks in flight, cell by cell.
pub(crate) fn in_flight<'a>(board: &'a Board<'_>) -> Load<'a> {
    let mut load = Load::new(&board.axis);
    for record in &board.records {
        load.add(record.started, record.ended);
    }
    load
}

/// The number of checks that waited for a worker, cell by cell.
pub(crate) fn queued<'a>(board: &'a Board<'_>, scene: &Scene<'_>) -> Load<'a> {
    let mut load = Load::new(&board.axis);
    for record in &board.records {
        load.add(record.job.due, record.started);
    }
    let (.., now) = board.axis.range();
    for job in scene.record.ledger.waiting() {
        load.add(job.due, now);
    }
    load
}

/// Draws a strip: its name and number, and blocks as high as the share of `most`.
pub(crate) fn draw(
    buffer: &mut Buffer,
    line: Rect,
    board: &Board<'_>,
    text: &str,
    means: &[f64],
    most: usize,
) {
    let width = board.columns.width();
    put(buffer, line.x + 1, line.y, width - 2, text, PLAIN);
    for (index, mean) in means.iter().enumerate() {
        let x = line.x + width + index as u16;
        if let (Some(glyph), Some(cell)) = (block(*mean, most), buffer.cell_mut((x, line.y))) {
            let style = if board.axis.is_old(index) {
                DIM
            } else {
                theme::NETWORK
            };
            cell.set_symbol(glyph).set_style(style);
        }
    }
}

/// The seconds of the newest page, the hand, and when the sites of a sweep are due again.
pub(crate) fn draw_axis(
    buffer: &mut Buffer,
    line: Rect,
    board: &Board<'_>,
    deadline: Option<Moment>,
) {
    let (axis, left) = (&board.axis, line.x + board.columns.width());
    put(
        buffer,
        line.x + 1,
        line.y,
        board.columns.width() - 2,
        "seconds",
        DIM,
    );
    let step = tick_step(axis);
    let cell = axis.cell().as_secs_f64();
    let mut tick = 0;
    loop {
        let seconds = step * f64::from(tick);
        let index = (seconds / cell).round() as usize;
        let text = label(seconds, step);
        if index + text.len() > axis.cells() {
            break;
        }
        put(
            buffer,
            left + index as u16,
            line.y,
            text.len() as u16,
            &text,
            DIM,
        );
        tick += 1;
    }
    if let Some(hand) = axis.hand() {
        let text = "^now";
        let room = (axis.cells() - hand).min(text.len()) as u16;
        put(buffer, left + hand as u16, line.y, room, text, PLAIN);
    }
    if let Some(index) = deadline.and_then(|at| future(axis, at)) {
        let text = "|due again";
        let room = (axis.cells() - index).min(text.len()) as u16;
        put(
            buffer,
            left + index as u16,
            line.y,
            room,
            text,
            theme::tone(crate::tui::scene::Tone::Warn),
        );
    }
}

/// The cell of a moment of the newest page, which may not have come yet.
fn future(axis: &Axis, at: Moment) -> Option<usize> {
    if at < axis.origin() {
        return None;
    }
    let index = (at.since(axis.origin()).as_nanos() / axis.cell().as_nanos().max(1)) as usize;
    (index < axis.cells()).then_some(index)
}

/// Seconds between two labels: 1, 2 or 5 times a power of ten, at least ten cells apart.
fn tick_step(axis: &Axis) -> f64 {
    let least = axis.cell().as_secs_f64() * 10.0;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(least)
}

fn label(seconds: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    format!("{seconds:.digits$}")
}

/// The marks and their words, as many as there is room for.
pub(crate) fn draw_legend(buffer: &mut Buffer, line: Rect, polled: bool, more: &str) {
    let mut left = Vec::new();
    if !more.is_empty() {
        left.push(Piece::text(0, more, PLAIN));
    }
    for (rank, (mark, word)) in LEGEND.iter().enumerate() {
        if *word == "polled" && !polled {
            continue;
        }
        let spans = vec![
            Span::styled(mark.glyph, mark.style),
            Span::styled(format!(" {word}"), PLAIN),
        ];
        left.push(Piece::new(rank as u8 + 1, spans));
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

/// "…9 more sites, not shown".
pub(crate) fn hidden(number: usize, noun: &str) -> String {
    if number == 0 {
        return String::new();
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("…{} more {noun}{plural}, not shown", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn labels_stand_apart_and_are_round() {
        let axis = |millis, cells| {
            let end = Moment::ZERO + Duration::from_secs(1_000);
            Axis::still(end, Duration::from_millis(millis), cells)
        };
        for (millis, cells, step) in [
            (10_000, 64, 2.0),
            (10_000, 133, 1.0),
            (1_000, 64, 0.2),
            (600_000, 64, 100.0),
        ] {
            assert!(
                (tick_step(&axis(millis, cells)) - step).abs() < 1e-9,
                "{millis}"
            );
        }
        assert_eq!(label(0.4, 0.2), "0.4");
        assert_eq!(label(4.0, 2.0), "4");
    }
}
