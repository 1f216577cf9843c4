//! Draws one lane: its cells, the starts of checks, their sites' names, and failures.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::domain::{Moment, SiteId, brief, clean};
use crate::trace::{Activity, CheckProgress, CheckSummary, ThreadTrace, spans};
use crate::tui::format::cut;
use crate::tui::lanes::{Axis, BEFORE, IDLE, POLLED, Raster, START, Symbol, symbol, thread_symbol};
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::view_model::ViewModel;
use crate::tui::widgets::put;

use super::lane_row::{LaneKind, LaneRow};

/// Draws a lane into `area`, which is as wide as `axis`. The checks of the site `followed` are
/// underlined.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    axis: &Axis,
    row: &LaneRow<'_>,
    model: &ViewModel<'_>,
    followed: Option<SiteId>,
) {
    let (tid, many) = match &row.kind {
        LaneKind::Thread { who, many, .. } => (Some(who.tid), *many),
        _ => (None, false),
    };
    let raster = fill(axis, row, tid, many, model);
    let width = axis.cell().as_nanos() as u64;
    let (.., now) = axis.range();
    for (index, cell) in raster.cells().iter().enumerate() {
        let Some(moment) = axis.moment(index) else {
            continue;
        };
        let drawn = match tid {
            Some(_) if many && model.trace.queue.is_none() => Some(thread_symbol(cell, width)),
            // While recording is off, an empty cell does not mean that the thread was idle.
            Some(_) if !model.trace.on => symbol(cell, width),
            Some(_) => Some(symbol(cell, width).unwrap_or(IDLE)),
            None => symbol(cell, width),
        };
        let begun = moment - axis.cell() / 2 <= now;
        if let Some(drawn) = drawn.filter(|_| begun) {
            set(buffer, area, axis, index, drawn);
        }
    }
    if many {
        return;
    }
    if row.kind == LaneKind::Task {
        ticks(buffer, area, axis, row);
    }
    for (index, check) in row.records.iter().enumerate() {
        if tid.is_some_and(|tid| tid != check.tid) {
            continue;
        }
        let next = row.records.get(index + 1).copied();
        let bar = Bar { check, next };
        bar.draw(buffer, area, axis, row, model, followed);
    }
    // Drawn last, over a check that starts in the same cell: failures must be visible.
    for (index, check) in row.records.iter().enumerate() {
        if check.progress == CheckProgress::Failed && tid.is_none_or(|tid| tid == check.tid) {
            let next = row.records.get(index + 1).copied();
            Bar { check, next }.fail(buffer, area, axis, row);
        }
    }
}

/// The activities of the lane, cell by cell.
fn fill<'a>(
    axis: &'a Axis,
    row: &LaneRow<'_>,
    tid: Option<u32>,
    many: bool,
    model: &ViewModel<'_>,
) -> Raster<'a> {
    if let Some(part) = &row.part {
        if many {
            return shared(axis, row, part, model);
        }
        if row.records.iter().all(|check| check.is_of_one_thread) {
            return alone(axis, row, part);
        }
    }
    let mut raster = spelled(axis, row, tid);
    let (.., now) = axis.range();
    for due in row.waiting(model) {
        raster.fill(due, now, Activity::Queued);
    }
    raster
}

/// The lane of a thread that many checks share: only the thread's own polls count.
fn shared<'a>(
    axis: &'a Axis,
    row: &LaneRow<'_>,
    part: &ThreadTrace<'_>,
    model: &ViewModel<'_>,
) -> Raster<'a> {
    let mut raster = Raster::new(axis);
    // A remote worker's polls arrive with the result; until then it shows that it holds one.
    if model.trace.queue.is_some() {
        let mut held = Moment::ZERO;
        for check in &row.records {
            if check.ended > held {
                let started = check.started.max(held);
                raster.fill(started, check.ended, Activity::Waiting(None));
                held = check.ended;
            }
        }
    }
    let (from, to) = axis.range();
    part.busy(from, to, |doing, bundle| {
        raster.pour(&bundle, Activity::of(doing))
    });
    raster
}

/// The lane of a thread that runs one check at a time: while it holds one it waits, except
/// where it is busy. So the checks' poll logs need not be read.
fn alone<'a>(axis: &'a Axis, row: &LaneRow<'_>, part: &ThreadTrace<'_>) -> Raster<'a> {
    let mut raster = Raster::new(axis);
    for check in &row.records {
        raster.fill(check.started, check.ended, Activity::Waiting(None));
    }
    let (from, to) = axis.range();
    part.busy(from, to, |doing, bundle| {
        raster.pour(&bundle, Activity::of(doing))
    });
    part.ready(from, to, |bundle| raster.pour(&bundle, Activity::Ready));
    raster.subtract_from_waiting();
    raster
}

/// The lane from the poll logs of its checks; for a thread's lane, the thread's polls only.
fn spelled<'a>(axis: &'a Axis, row: &LaneRow<'_>, tid: Option<u32>) -> Raster<'a> {
    let mut raster = Raster::new(axis);
    for check in &row.records {
        let mine = tid.is_none_or(|tid| tid == check.tid);
        spans(check.record(), |span| {
            let by_me = span.tid.is_some() && span.tid == tid;
            // Time in the queue belongs to the site's lane, not to the thread's.
            let queued = span.activity == Activity::Queued;
            if by_me || (mine && !(queued && tid.is_some())) {
                raster.add(&span);
            }
        });
    }
    raster
}

fn set(buffer: &mut Buffer, area: Rect, axis: &Axis, index: usize, symbol: Symbol) {
    if let Some(cell) = buffer.cell_mut((area.x + index as u16, area.y)) {
        let old = axis.is_faded(area.y, index);
        let faded = if old {
            Modifier::DIM
        } else {
            Modifier::empty()
        };
        cell.set_symbol(symbol.glyph)
            .set_style(symbol.style.add_modifier(faded));
    }
}

/// Highlights the check that the cursor is on.
pub(crate) fn select(buffer: &mut Buffer, area: Rect, axis: &Axis, check: &CheckSummary) {
    let first = axis.place(check.started).unwrap_or(0);
    let last = axis.place(check.ended).unwrap_or(axis.cells() - 1);
    for index in first..=last.max(first) {
        if let Some(cell) = buffer.cell_mut((area.x + index as u16, area.y)) {
            cell.modifier.remove(Modifier::DIM);
            cell.modifier.insert(Modifier::REVERSED);
        }
    }
}

/// Draws polls too short for a block, where the check otherwise waits.
fn ticks(buffer: &mut Buffer, area: Rect, axis: &Axis, row: &LaneRow<'_>) {
    let records = row.records.iter().map(|check| check.record());
    for slice in records.flat_map(|record| &record.log.slices) {
        let Some(index) = axis.place(slice.start) else {
            continue;
        };
        let x = area.x + index as u16;
        let waits = buffer
            .cell((x, area.y))
            .is_some_and(|cell| cell.symbol() == "─");
        if waits {
            set(buffer, area, axis, index, POLLED);
        }
    }
}

/// One check of a lane.
struct Bar<'a> {
    check: &'a CheckSummary,
    /// The next check of the same lane.
    next: Option<&'a CheckSummary>,
}

impl Bar<'_> {
    fn draw(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        axis: &Axis,
        row: &LaneRow<'_>,
        model: &ViewModel<'_>,
        followed: Option<SiteId>,
    ) {
        let check = self.check;
        let start = axis.place(check.started);
        let began = start.or_else(|| self.edge(axis));
        match (start, began) {
            (Some(start), _) => set(buffer, area, axis, start, START),
            (None, Some(edge)) => set(buffer, area, axis, edge, BEFORE),
            (None, None) => {}
        }
        let end = axis.place(check.ended);
        if matches!(row.kind, LaneKind::Thread { .. }) {
            let last = end.unwrap_or_else(|| axis.hand().unwrap_or(axis.cells() - 1));
            self.name(buffer, area, axis, (began, last), model, followed);
        }
    }

    /// Draws the end of a failed check.
    fn fail(&self, buffer: &mut Buffer, area: Rect, axis: &Axis, row: &LaneRow<'_>) {
        let Some(end) = axis.place(self.check.ended) else {
            return;
        };
        let bad = theme::badge(crate::monitor::State::Down);
        let fail = Symbol {
            glyph: bad.glyph,
            style: bad.style,
        };
        set(buffer, area, axis, end, fail);
        if !matches!(row.kind, LaneKind::Thread { .. }) {
            self.outcome(buffer, area, axis, end, bad.style);
        }
    }

    /// The first cell shown, if the check began before it.
    fn edge(&self, axis: &Axis) -> Option<usize> {
        let (from, to) = axis.range();
        let reaches = self.check.started < from && self.check.ended > from;
        let first = (0..axis.cells()).find(|cell| axis.moment(*cell).is_some());
        first.filter(|_| reaches && to > from)
    }

    /// Draws the site's name behind the start, as much as the check's cells hold.
    fn name(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        axis: &Axis,
        (start, last): (Option<usize>, usize),
        model: &ViewModel<'_>,
        followed: Option<SiteId>,
    ) {
        /// Cells below which a name would not be recognised.
        const LEAST_NAME_WIDTH: usize = 2;
        let Some(start) = start else { return };
        let room = last.saturating_sub(start + 1);
        let site = self.check.site;
        let Some(state) = model
            .monitor
            .site(site)
            .filter(|_| room >= LEAST_NAME_WIDTH)
        else {
            return;
        };
        let name = cut(&clean(&state.site().name, 60), room);
        let style = if followed == Some(site) {
            PLAIN.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else if axis.is_faded(area.y, start) {
            DIM
        } else {
            // In the default colour, to stand out from the bar.
            PLAIN.fg(Color::Reset)
        };
        put(
            buffer,
            area.x + start as u16 + 1,
            area.y,
            room as u16,
            &name,
            style,
        );
    }

    /// Draws reason and duration behind the end, if the cells are free up to the next check.
    fn outcome(&self, buffer: &mut Buffer, area: Rect, axis: &Axis, end: usize, style: Style) {
        let reason = self.check.record().found.and_then(|found| found.reason);
        let reason = reason.map_or("", |reason| reason.word());
        let text = format!(" DOWN {reason} {}", brief(self.check.took()));
        // The next check takes the cells from when it was due.
        let next = self.next.map(|next| {
            let due = next.due.min(next.started);
            match axis.place(due) {
                _ if due <= self.check.ended => end + 1,
                Some(place) if place > end => place,
                _ => axis.cells(),
            }
        });
        let room = next.unwrap_or(axis.cells()).saturating_sub(end + 1);
        if text.len() <= room {
            put(
                buffer,
                area.x + end as u16 + 1,
                area.y,
                room as u16,
                &text,
                style,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, RanOn};
    use crate::trace::{CheckRecord, Fetched, PollLog, Slice, SliceKind, Step, TraceStore};
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn the_lane_of_a_thread_is_the_same_with_and_without_its_notes(
            checks in prop::collection::vec(
                (0_u64..40, prop::collection::vec((0_u64..90, 0_u64..9, 0_u64..30, any::<bool>()), 0..6)),
                1..60,
            ),
            cells in 1_u16..90, since in 1_u64..5_000,
        ) {
            let ran_on = RanOn { host: "h".into(), pid: 1, tid: 7, thread: "t".into() };
            let (mut now, mut ended) = (0, Vec::new());
            for (idle, polls) in checks {
                let (due, started) = (now, now + idle);
                now = started;
                let mut notes = PollLog::default();
                for (wait, woken, run, locked) in polls {
                    let (ready, start) = (now + wait, now + wait + woken);
                    now = start + run;
                    notes.slices.push(Slice {
                        ready: at(ready),
                        start: at(start),
                        end: at(now),
                        tid: 7,
                        doing: if locked { SliceKind::Locked } else { SliceKind::Running },
                    });
                    notes.steps.push(Step { at: at(start), phase: crate::domain::Phase::Dns });
                }
                let job = JobId { site: SiteId::from_index(0), due: at(due) };
                ended.push(CheckRecord {
                    job,
                    started: at(started),
                    ended: at(now),
                    ran_on: ran_on.clone(),
                    log: notes,
                    found: None,
                });
            }
            let mut store = TraceStore::new();
            store.absorb(Fetched { ended, dropped: 0 });
            let axis = Axis::sweeping(at(0), at(since), Duration::from_nanos(1_000), cells);
            let (from, to) = axis.range();
            for part in store.thread_traces() {
                let kind = LaneKind::Thread { who: ran_on.clone(), many: false, gone: false };
                let mut row = LaneRow::thread(kind, part);
                row.fill((from, to));
                let with = spelled(&axis, &row, Some(7));
                let without = alone(&axis, &row, &part);
                prop_assert_eq!(with.cells(), without.cells());
            }
        }
    }
}
