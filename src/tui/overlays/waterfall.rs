//! The phases of one request, each with its time and a bar that begins where the bar before it
//! ends.

use std::time::Duration;

use ratatui::text::{Line, Span};

use crate::domain::{Phase, RequestRecord};
use crate::monitor::State;
use crate::tui::theme::{self, DIM, NETWORK, PLAIN};

/// A line a finished phase, and one for the phase in which the request was given up. `cells`
/// cells stand for the time `whole`.
pub(super) fn lines(request: &RequestRecord, whole: Duration, cells: usize) -> Vec<Line<'static>> {
    let phases = [
        (Phase::Dns, request.phases.dns),
        (Phase::Connect, request.phases.connect),
        (Phase::Tls, request.phases.tls),
        (Phase::FirstByte, request.phases.first_byte),
    ];
    let mut from = Duration::ZERO;
    let mut lines = Vec::new();
    for (phase, took) in phases {
        if let Some(took) = took {
            lines.push(line(name(phase), from, took, whole, cells));
            from += took;
        }
    }
    let rest = request.took.saturating_sub(from);
    if request.status.is_none() && rest >= Duration::from_millis(1) {
        let happened = phases.iter().rposition(|(_, took)| took.is_some());
        let stuck = phases[happened.map_or(0, |at| at + 1)..]
            .iter()
            .map(|(phase, _)| *phase)
            .find(|phase| expected(*phase, request));
        let mut stuck = line(stuck.map_or("answer", name), from, rest, whole, cells);
        let ended = theme::badge(State::Down);
        stuck.push_span(Span::styled(
            format!(" {} no end", ended.glyph),
            ended.style,
        ));
        lines.push(stuck);
    }
    lines
}

/// Whether this request has that phase.
fn expected(phase: Phase, request: &RequestRecord) -> bool {
    match phase {
        Phase::Dns => request.address.is_none() && request.resolved.is_empty(),
        Phase::Tls => ["https:", "tls:"]
            .iter()
            .any(|scheme| request.url.starts_with(scheme)),
        Phase::Connect | Phase::FirstByte | Phase::Body => true,
    }
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Dns => "DNS",
        Phase::Connect => "connect",
        Phase::Tls => "TLS",
        Phase::FirstByte => "first byte",
        Phase::Body => "body",
    }
}

fn line(
    name: &'static str,
    from: Duration,
    took: Duration,
    whole: Duration,
    cells: usize,
) -> Line<'static> {
    let scale = cells as f64 / whole.as_secs_f64().max(1e-9);
    let start = ((from.as_secs_f64() * scale) as usize).min(cells.saturating_sub(1));
    // A finished phase has at least one cell, however short it was.
    let length = ((took.as_secs_f64() * scale).round() as usize).clamp(1, (cells - start).max(1));
    Line::from(vec![
        Span::styled(format!("    {name:<10} "), DIM),
        Span::styled(format!("{:>8}  ", millis(took)), PLAIN),
        Span::raw(" ".repeat(start)),
        Span::styled("━".repeat(length), NETWORK),
    ])
}

/// Milliseconds, with tenths while they matter; seconds from ten on.
pub(super) fn millis(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1e3;
    if millis >= 9_999.5 {
        return format!("{:.1} s", took.as_secs_f64());
    }
    if millis < 10.0 {
        format!("{millis:.1} ms")
    } else {
        format!("{millis:.0} ms")
    }
}
