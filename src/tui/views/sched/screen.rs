//! The Scheduling screen as a whole: the area of each part, and what is drawn into it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::{SiteId, clean};
use crate::trace::here;
use crate::tui::click_targets::{ClickTarget, ClickTargets};
use crate::tui::format::{clock, count, cut, setting};
use crate::tui::keymap::Scope;
use crate::tui::sched_state::Grouping;
use crate::tui::state::UiState;
use crate::tui::theme::{self, BOLD, DIM, PLAIN};
use crate::tui::view_model::ViewModel;
use crate::tui::views::View;
use crate::tui::widgets::put;

use super::answer_lines::AnswerLines;
use super::lane_columns::LaneNumbers;
use super::lane_layout::LaneLayout;
use super::lane_row::{LaneKind, LaneRow, process_line};
use super::{check_detail, lane, strips};

/// The screen's row in the table `VIEWS`.
pub(crate) const VIEW: View = View {
    title: "Sched",
    scopes: &[
        Scope::Always,
        Scope::Everywhere,
        Scope::Screens,
        Scope::All,
        Scope::Sched,
    ],
    draw,
};

/// From this width on the heading also gives the duration of a cell, which the axis implies.
const WIDE: u16 = 140;

/// Lines that are not lanes: two answer lines, heading, two strips, axis, legend.
const OTHER_LINES: u16 = 7;

/// The area of the lanes within the body.
fn lanes_area(state: &UiState, body: Rect) -> Rect {
    let detail = u16::from(state.sched.cursor.is_some());
    Rect {
        y: body.y + 3,
        height: body.height.saturating_sub(OTHER_LINES + detail),
        ..body
    }
}

fn draw(
    state: &UiState,
    model: &ViewModel<'_>,
    body: Rect,
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
) {
    if model.paradigms.is_empty() {
        return;
    }
    let layout = LaneLayout::gather(state, model, body);
    let line = |y: u16| Rect {
        y,
        height: 1,
        ..body
    };
    let census = state.summary(model).census;
    let (from, to) = layout.axis.range();
    let facts = AnswerLines::of(model, census, from, to);
    draw_facts(buffer, line(body.y), &facts);
    draw_cause(buffer, line(body.y + 1), &facts);
    heading(buffer, line(body.y + 2), state, &facts, &layout);
    let area = lanes_area(state, body);
    let (flight, queue) = strips::loads(&layout, model);
    let hidden = draw_lanes((buffer, targets), area, state, model, &layout, &flight);
    let y = area.bottom();
    let most = model.monitor.ids().len();
    let text = format!("queue {}", count(census.queued));
    strips::draw(buffer, line(y), &layout, &text, &queue, most);
    let text = format!("in flight {}", count(census.running));
    strips::draw(buffer, line(y + 1), &layout, &text, &flight, most);
    let deadline = model.trace.store.sweep_due();
    let interval = model.trace.interval;
    let deadline = deadline.zip(interval).map(|(due, interval)| due + interval);
    strips::draw_axis(buffer, line(y + 2), &layout, deadline);
    bottom(buffer, line(y + 3), state, model, &layout, hidden);
}

fn draw_facts(buffer: &mut Buffer, line: Rect, facts: &AnswerLines<'_>) {
    let text = facts.facts(usize::from(line.width - 2));
    put(buffer, line.x + 1, line.y, line.width - 2, &text, BOLD);
}

/// Draws as many clauses of the cause as fit; the first is cut if it alone is too long.
fn draw_cause(buffer: &mut Buffer, line: Rect, facts: &AnswerLines<'_>) {
    let (clauses, tone) = facts.cause();
    let room = usize::from(line.width.saturating_sub(2));
    let mut text = String::new();
    for clause in clauses {
        let more = clause.chars().count() + usize::from(!text.is_empty());
        if !text.is_empty() && text.chars().count() + more > room {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&clause);
    }
    put(
        buffer,
        line.x + 1,
        line.y,
        line.width - 2,
        &text,
        theme::tone(tone),
    );
}

fn heading(
    buffer: &mut Buffer,
    line: Rect,
    state: &UiState,
    facts: &AnswerLines<'_>,
    layout: &LaneLayout<'_>,
) {
    let model = facts.model;
    let what = match state.sched.grouping {
        Grouping::Thread if layout.of_processes() => "PROCESS",
        Grouping::Thread => "THREAD",
        Grouping::Site => "SITE",
        Grouping::Task => "TASK",
    };
    layout.columns.heading(buffer, line, what);
    let place = &state.sched;
    let cell = layout.axis.cell();
    let interval = model.trace.interval;
    let mut text = format!(
        "{}, {} a page",
        place.grouping.words(),
        setting(place.span(interval))
    );
    if line.width >= WIDE {
        text.push_str(&format!(", {:.0}ms a cell", cell.as_secs_f64() * 1e3));
    }
    let zoom = place.zoom(interval);
    if zoom > 1.01 {
        text.push_str(&format!(", zoom {zoom:.0}x"));
    } else if zoom < 0.99 {
        text.push_str(&format!(", zoom 1/{:.0}", 1.0 / zoom));
    }
    if place.is_still() {
        let (.., to) = layout.axis.range();
        let ago = model.now.mono.since(to).as_micros() as i64;
        let at = crate::domain::Timestamp::from_micros(model.now.wall.as_micros() - ago);
        text.push_str(&format!(
            ", stands at {}: G goes live",
            clock(at, &state.options.zone)
        ));
    }
    let (forgotten, dropped) = model.trace.store.lost();
    if dropped > 0 {
        text.push_str(&format!(", {} dropped", count(dropped as usize)));
    } else if forgotten > 0 && place.is_still() {
        text.push_str(&format!(", {} older discarded", count(forgotten as usize)));
    }
    let left = line.x + layout.columns.width();
    put(
        buffer,
        left,
        line.y,
        line.right().saturating_sub(left),
        &text,
        DIM,
    );
    let left = left + text.chars().count() as u16 + 1;
    let law = format!("| {}", facts.law());
    put(
        buffer,
        left,
        line.y,
        line.right().saturating_sub(left),
        &law,
        PLAIN,
    );
}

/// Draws as many lanes as fit; returns how many are left out.
fn draw_lanes(
    (buffer, targets): (&mut Buffer, &mut ClickTargets),
    area: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    layout: &LaneLayout<'_>,
    flight: &[f64],
) -> usize {
    let busy: f64 = flight.iter().map(|mean| mean.min(1.0)).sum();
    let shown_cells = (0..layout.axis.cells()).filter(|cell| layout.axis.moment(*cell).is_some());
    let in_flight = busy / shown_cells.count().max(1) as f64;
    // The layout may have changed since the cursor was moved: find the check again.
    let under = layout.selected(&state.sched);
    let lane = under.map_or(state.sched.lane, |(lane, _)| lane);
    let (shown, hidden) = layout.shown(lane, usize::from(area.height));
    for (index, line) in shown.iter().zip(area.rows()) {
        let Some(row) = layout.row(*index) else {
            continue;
        };
        let row = &*row;
        if let LaneKind::Process { pid, host, lanes } = &row.kind {
            let text = process_line(model, *pid, host, *lanes);
            put(buffer, line.x + 1, line.y, line.width - 2, &text, DIM);
            continue;
        }
        if let LaneKind::Sentence(text, tone) = &row.kind {
            let style = theme::tone(*tone);
            put(buffer, line.x + 1, line.y, line.width - 2, text, style);
            continue;
        }
        let under = under.filter(|(lane, _)| lane == index);
        let selected = under.is_some();
        let style = if selected { theme::SELECTED } else { PLAIN };
        let (name, name_style) = label(row, model, layout);
        let style = name_style.patch(style);
        put(
            buffer,
            line.x + 1,
            line.y,
            layout.columns.name(),
            &name,
            style,
        );
        let numbers = numbers(row, state, model, layout, in_flight, line.y);
        layout.columns.draw(buffer, line, &numbers);
        let left = layout.columns.width();
        let cells = Rect {
            x: line.x + left,
            width: line.width.saturating_sub(left),
            ..line
        };
        targets.note(cells, ClickTarget::Lane(*index, layout.axis));
        let followed = state.sched.followed;
        lane::draw(buffer, cells, &layout.axis, row, model, followed);
        if let Some((_, check)) = under {
            lane::select(buffer, cells, &layout.axis, check);
        }
    }
    hidden
}

fn label(
    row: &LaneRow<'_>,
    model: &ViewModel<'_>,
    layout: &LaneLayout<'_>,
) -> (String, ratatui::style::Style) {
    let site_name = |site: SiteId| {
        model.monitor.site(site).map_or_else(
            || "removed".to_owned(),
            |state| clean(&state.site().name, 60),
        )
    };
    match &row.kind {
        LaneKind::Process { .. } | LaneKind::Sentence(..) => (String::new(), PLAIN),
        LaneKind::Thread { who, gone, .. } => {
            let id = if who.pid == who.tid || who.pid != model.trace.pid {
                who.pid
            } else {
                who.tid
            };
            let name = if who.thread.is_empty() {
                "thread"
            } else {
                &who.thread
            };
            let text = match layout.columns.name() {
                room @ 16.. if *gone => cut(&format!("{} gone", clean(name, 15)), room.into()),
                room @ 16.. if model.trace.queue.is_some() => cut(
                    &format!("  pid {} {}", who.pid, clean(name, 15)),
                    room.into(),
                ),
                0..16 if who.pid == who.tid || model.trace.queue.is_some() => {
                    format!("pid {}", who.pid)
                }
                0..16 => clean(name, 15),
                _ => format!("{} {id}", clean(name, 15)),
            };
            (text, if *gone { DIM } else { PLAIN })
        }
        LaneKind::Site(site) => {
            let down = model
                .monitor
                .site(*site)
                .is_some_and(|state| state.state() == crate::monitor::State::Down);
            (site_name(*site), if down { BOLD } else { PLAIN })
        }
        LaneKind::Task => {
            let site = row.records.first().map(|check| check.site);
            (site.map_or_else(String::new, site_name), PLAIN)
        }
    }
}

fn numbers(
    row: &LaneRow<'_>,
    state: &UiState,
    model: &ViewModel<'_>,
    layout: &LaneLayout<'_>,
    in_flight: f64,
    line: u16,
) -> LaneNumbers {
    // Behind a queue one host may be idle while checks are in flight on another.
    let in_flight = match model.trace.queue {
        Some(_) => row.in_flight(&layout.axis),
        None => in_flight,
    };
    let on_record = model.trace.on || state.sched.is_still();
    let shares = on_record.then(|| {
        let mut shares = row.shares(layout.settled(line), in_flight);
        let (.., to) = layout.axis.range();
        let waits = row.waiting(model).map(|due| to.since(due)).max();
        shares.late = shares.late.max(waits.unwrap_or_default());
        shares
    });
    let kernel = model.trace.kernel;
    match &row.kind {
        LaneKind::Thread { who, .. } => {
            // Samples are of this machine: the same ids on another host are other threads.
            let known = who.host == here().host;
            let usage = kernel.usage(who.pid, who.tid).filter(|_| known);
            let own = known && who.pid != model.trace.pid;
            LaneNumbers {
                shares,
                kernel: usage.map(|usage| usage.cpu),
                switches: usage.map(|usage| usage.switches),
                memory: kernel.memory(who.pid).filter(|_| own),
            }
        }
        _ => LaneNumbers {
            shares,
            ..LaneNumbers::default()
        },
    }
}

/// The check under the cursor; without a cursor, the number of hidden lanes and the legend.
fn bottom(
    buffer: &mut Buffer,
    line: Rect,
    state: &UiState,
    model: &ViewModel<'_>,
    layout: &LaneLayout<'_>,
    hidden: usize,
) {
    if state.sched.cursor.is_some() {
        let below = Rect {
            y: line.y + 1,
            ..line
        };
        let texts = match layout.selected(&state.sched) {
            Some((_, check)) => check_detail::lines(check.record(), state, model),
            None => [
                "The check under the cursor is not on this page any more.".into(),
                "Left and Right go to the checks of a lane; End goes live.".into(),
            ],
        };
        for (text, line) in texts.iter().zip([line, below]) {
            put(buffer, line.x + 1, line.y, line.width - 2, text, BOLD);
        }
        return;
    }
    let noun = match state.sched.grouping {
        Grouping::Thread => "thread",
        Grouping::Site => "site",
        Grouping::Task => "check",
    };
    let polled = state.sched.grouping == Grouping::Task;
    strips::draw_legend(buffer, line, polled, &strips::hidden(hidden, noun));
}
