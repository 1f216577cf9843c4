//! The header: two lines of figures, and below them the notices.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::domain::brief;
use crate::monitor::State as SiteIs;
use crate::paradigm::QueueFigures;
use crate::tui::click_targets::{ClickTarget, ClickTargets};
use crate::tui::format::{age, bytes, clock, count, holds, is_late, lateness, plural};
use crate::tui::layout;
use crate::tui::state::UiState;
use crate::tui::summary::Summary;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::view_model::ViewModel;

use super::{Piece, draw_clickable, draw_pieces, put};

/// Draws both lines; `tabs` are the titles of the screens, which can be clicked, `filter` says which
/// rows the list is reduced to.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    (tabs, filter): (&[&str], Option<String>),
    targets: &mut ClickTargets,
) {
    let summary = state.summary(model);
    let line = |y| Rect {
        y: area.y + y,
        height: 1,
        ..area
    };
    let (left, right) = first_line(state, model, &summary, tabs);
    draw_clickable(buffer, line(0), left, right, targets);
    let mut left = counts(&summary);
    left.extend(capacity(model));
    let warn = theme::tone(crate::tui::view_model::Tone::Warn);
    left.extend(filter.map(|filter| Piece::text(0, filter, warn)));
    draw_pieces(buffer, line(1), left, costs(&summary));
}

type Pieces = Vec<Piece<'static>>;

/// The first line: screens, paradigm and queue at the left; source and clock at the right.
fn first_line(
    state: &UiState,
    model: &ViewModel<'_>,
    summary: &Summary,
    tabs: &[&str],
) -> (Pieces, Pieces) {
    let mut titles = Vec::new();
    for (index, title) in tabs.iter().enumerate() {
        let span = if index == state.view {
            Span::styled(format!("[{title}]"), BOLD)
        } else {
            Span::styled(format!(" {title} "), DIM)
        };
        titles.push((span, ClickTarget::Tab(index)));
    }
    let census = summary.census;
    let mut left = vec![
        Piece::text(3, "UptimeSquirrel", BOLD),
        Piece::clickable(2, titles),
    ];
    if let Some(label) = model.paradigms.get(model.active) {
        left.push(Piece::new(
            0,
            vec![
                Span::styled(
                    format!("[{}] {}", label.key, label.name.to_uppercase()),
                    BOLD,
                ),
                Span::raw(format!(", {}", worker_count(model, census.workers))),
            ],
        ));
    }
    left.extend(
        model
            .trace
            .queue
            .map(|queue| Piece::text(5, host_count(queue), PLAIN)),
    );
    left.push(Piece::text(
        4,
        format!(
            "in flight {}, queued {}",
            count(census.running),
            count(census.queued)
        ),
        PLAIN,
    ));
    let time = clock(model.now.wall, &state.options.zone);
    let live = if state.frozen.is_some() {
        Span::styled(
            format!("FROZEN {time}"),
            theme::tone(crate::tui::view_model::Tone::Warn),
        )
    } else {
        Span::styled(format!("live {time}"), PLAIN)
    };
    let right = vec![
        Piece::text(5, model.config_path, DIM),
        Piece::new(1, vec![live]),
    ];
    (left, right)
}

/// The number of workers: behind a queue those alive, else the paradigm's own.
fn worker_count(model: &ViewModel<'_>, workers: usize) -> String {
    let there = |queue: &QueueFigures| queue.workers.iter().filter(|one| one.alive).count();
    plural(model.trace.queue.map_or(workers, there), "worker")
}

/// The number of hosts of a queue's live workers, and of checks that they run at once.
fn host_count(queue: &QueueFigures) -> String {
    let alive = queue.workers.iter().filter(|worker| worker.alive);
    let hosts: BTreeSet<&str> = alive.map(|worker| &*worker.host).collect();
    let mut text = format!("on {}", plural(hosts.len(), "host"));
    if let Some(places) = queue.places() {
        text.push_str(&format!(", {}", plural(places, "slot")));
    }
    text
}

/// The number of sites in each state, the worst lateness, and latency quantiles.
fn counts(summary: &Summary) -> Pieces {
    let mut pieces = Vec::new();
    for state in SiteIs::ALL {
        let sites = summary.totals.of(state);
        if sites == 0 && state != SiteIs::Up {
            continue;
        }
        let badge = theme::badge(state);
        let rank = match state {
            SiteIs::Down => 0,
            SiteIs::Suspect | SiteIs::Up => 1,
            SiteIs::Unknown | SiteIs::Degraded => 2,
            SiteIs::Missed | SiteIs::Pending | SiteIs::Paused => 4,
        };
        let text = format!("{} {} {}", badge.glyph, count(sites), badge.word);
        pieces.push(Piece::text(rank, text, badge.style));
    }
    let style = if is_late(summary.late) {
        theme::tone(crate::tui::view_model::Tone::Warn)
    } else {
        PLAIN
    };
    pieces.push(Piece::text(
        3,
        format!("late {}", lateness(summary.late)),
        style,
    ));
    if let Some((p50, p95)) = summary.quantiles {
        let text = format!("p50 {} p95 {}", brief(p50), brief(p95));
        pieces.push(Piece::text(5, text, PLAIN));
    }
    pieces
}

/// The measured load of the paradigm, or by how much it falls behind; `None` until measured.
fn capacity(model: &ViewModel<'_>) -> Option<Piece<'static>> {
    let capacity = model.trace.capacity?;
    let name = model.paradigms.get(model.active)?.name;
    if capacity.late() > 0 {
        let style = theme::tone(crate::tui::view_model::Tone::Warn);
        return Some(Piece::text(1, holds(name, &capacity), style));
    }
    let load = capacity.load() * 100.0;
    let load = if load < 1.0 {
        "load <1%".to_owned()
    } else {
        format!("load {load:.0}%")
    };
    Some(Piece::text(7, load, PLAIN))
}

/// Resources in use: threads, processes, processor time, memory.
fn costs(summary: &Summary) -> Pieces {
    let (census, process) = (summary.census, summary.process);
    let mut pieces = vec![
        Piece::text(6, format!("threads {}", count(census.threads)), PLAIN),
        Piece::text(8, format!("procs {}", count(census.processes)), PLAIN),
    ];
    if let Some(cpu) = process.cpu {
        pieces.push(Piece::text(7, format!("cpu {:.0}%", cpu * 100.0), PLAIN));
    }
    if let Some(rss) = process.rss {
        pieces.push(Piece::text(7, format!("rss {}", bytes(rss)), PLAIN));
    }
    pieces
}

/// Draws the banner of a condition that persists, and whether the display is frozen.
pub(crate) fn draw_notices(
    buffer: &mut Buffer,
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
) {
    let width = area.width.saturating_sub(2);
    let mut rows = area.rows();
    if let Some(banner) = model.banner {
        let style = theme::tone(crate::tui::view_model::Tone::Bad);
        for (part, row) in layout::banner(banner, area.width).iter().zip(&mut rows) {
            put(buffer, row.x + 1, row.y, width, part, style);
        }
    }
    let (Some(frozen), Some(row)) = (&state.frozen, rows.next()) else {
        return;
    };
    let since = model.now.mono.since(frozen.summary.now.mono);
    let behind = model
        .monitor
        .revision()
        .saturating_sub(frozen.summary.revision);
    let mut text = format!("FROZEN {}, {} behind", age(since), plural(behind, "event"),);
    let down = |summary: &Summary| summary.totals.of(SiteIs::Down);
    let (then, now) = (down(&frozen.summary), down(&Summary::of(model)));
    if then != now {
        text.push_str(&format!(", now {now} DOWN"));
    }
    text.push_str("; checks go on, Space goes live");
    put(
        buffer,
        row.x + 1,
        row.y,
        width,
        &text,
        theme::tone(crate::tui::view_model::Tone::Warn),
    );
}
