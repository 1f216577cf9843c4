//! One lane: its cells, where checks begin, whose they are, and how they ended.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::domain::{Moment, SiteId, brief, clean};
use crate::trace::{Activity, Check, Is, spans};
use crate::tui::format::cut;
use crate::tui::lanes::{Axis, BEFORE, IDLE, Mark, POLLED, Raster, START, mark, thread_mark};
use crate::tui::scene::Scene;
use crate::tui::theme::{self, DIM, PLAIN};
use crate::tui::widgets::put;

use super::row::{Kind, Row};

/// Draws a lane into `area`, whose cells are those of `axis`.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    axis: &Axis,
    row: &Row<'_>,
    scene: &Scene<'_>,
    followed: Option<SiteId>,
) {
    let (tid, many) = match &row.kind {
        Kind::Thread { who, many, .. } => (Some(who.tid), *many),
        _ => (None, false),
    };
    let raster = fill(axis, row, tid, many, scene);
    let width = axis.cell().as_nanos() as u64;
    let (.., now) = axis.range();
    for (index, cell) in raster.cells().iter().enumerate() {
        let Some(moment) = axis.moment(index) else {
            continue;
        };
        let drawn = match tid {
            Some(_) if many && scene.record.queue.is_none() => Some(thread_mark(cell, width)),
            Some(_) => Some(mark(cell, width).unwrap_or(IDLE)),
            None => mark(cell, width),
        };
        let begun = moment - axis.cell() / 2 <= now;
        if let Some(drawn) = drawn.filter(|_| begun) {
            set(buffer, area, axis, index, drawn);
        }
    }
    if many {
        return;
    }
    if row.kind == Kind::Task {
        ticks(buffer, area, axis, row);
    }
    for (index, check) in row.records.iter().enumerate() {
        if tid.is_some_and(|tid| tid != check.record().ran_on.tid) {
            continue;
        }
        let next = row.records.get(index + 1).copied();
        let bar = Bar { check, next };
        bar.draw(buffer, area, axis, row, scene, followed);
    }
}

/// What was done, cell by cell.
fn fill<'a>(
    axis: &'a Axis,
    row: &Row<'_>,
    tid: Option<u32>,
    many: bool,
    scene: &Scene<'_>,
) -> Raster<'a> {
    let mut raster = Raster::new(axis);
    if many {
        // Of a worker elsewhere, whose part comes with the answer, it is known that it holds any.
        if scene.record.queue.is_some() {
            let mut held = Moment::ZERO;
            for check in &row.records {
                if check.ended > held {
                    raster.fill(
                        check.started.max(held),
                        check.ended,
                        Activity::Waiting(None),
                    );
                    held = check.ended;
                }
            }
        }
        // Of ten thousand checks that share a thread only its own part counts.
        if let Some(part) = &row.part {
            let (from, to) = axis.range();
            part.busy(from, to, |doing, start, end| {
                raster.fill(start, end, Activity::of(doing));
            });
        }
        return raster;
    }
    for check in &row.records {
        let record = check.record();
        let mine = tid.is_none_or(|tid| tid == record.ran_on.tid);
        spans(record, |span| {
            let by_me = span.tid.is_some() && span.tid == tid;
            // A thread is not what waits in the queue.
            let queued = span.activity == Activity::Queued;
            if by_me || (mine && !(queued && tid.is_some())) {
                raster.add(&span);
            }
        });
    }
    if let Kind::Site(site) = row.kind {
        let (.., now) = axis.range();
        for job in scene.record.ledger.waiting() {
            if job.site == site {
                raster.fill(job.due, now, Activity::Queued);
            }
        }
    }
    raster
}

fn set(buffer: &mut Buffer, area: Rect, axis: &Axis, index: usize, mark: Mark) {
    if let Some(cell) = buffer.cell_mut((area.x + index as u16, area.y)) {
        let old = axis.is_faded(area.y, index);
        let faded = if old {
            Modifier::DIM
        } else {
            Modifier::empty()
        };
        cell.set_symbol(mark.glyph)
            .set_style(mark.style.add_modifier(faded));
    }
}

/// Marks the check that the cursor is on.
pub(crate) fn select(buffer: &mut Buffer, area: Rect, axis: &Axis, check: &Check) {
    let first = axis.place(check.started).unwrap_or(0);
    let last = axis.place(check.ended).unwrap_or(axis.cells() - 1);
    for index in first..=last.max(first) {
        if let Some(cell) = buffer.cell_mut((area.x + index as u16, area.y)) {
            cell.modifier.remove(Modifier::DIM);
            cell.modifier.insert(Modifier::REVERSED);
        }
    }
}

/// Where a check was polled for a moment, in the middle of its waiting.
fn ticks(buffer: &mut Buffer, area: Rect, axis: &Axis, row: &Row<'_>) {
    let records = row.records.iter().map(|check| check.record());
    for slice in records.flat_map(|record| &record.notes.slices) {
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

/// A check in a lane.
struct Bar<'a> {
    check: &'a Check,
    /// The one after it in the same lane.
    next: Option<&'a Check>,
}

impl Bar<'_> {
    fn draw(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        axis: &Axis,
        row: &Row<'_>,
        scene: &Scene<'_>,
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
        if matches!(row.kind, Kind::Thread { .. }) {
            let last = end.unwrap_or_else(|| axis.hand().unwrap_or(axis.cells() - 1));
            self.name(buffer, area, axis, (began, last), scene, followed);
        }
        let Some(end) = end.filter(|_| check.is == Is::Failed) else {
            return;
        };
        let bad = theme::badge(crate::monitor::State::Down);
        let fail = Mark {
            glyph: bad.glyph,
            style: bad.style,
        };
        set(buffer, area, axis, end, fail);
        if !matches!(row.kind, Kind::Thread { .. }) {
            self.outcome(buffer, area, axis, end, bad.style);
        }
    }

    /// The first cell of a check that began before the page did.
    fn edge(&self, axis: &Axis) -> Option<usize> {
        let (from, to) = axis.range();
        let reaches = self.check.started < from && self.check.ended > from;
        let first = (0..axis.cells()).find(|cell| axis.moment(*cell).is_some());
        first.filter(|_| reaches && to > from)
    }

    /// The site's name behind the beginning, as far as the bar is long.
    fn name(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        axis: &Axis,
        (start, last): (Option<usize>, usize),
        scene: &Scene<'_>,
        followed: Option<SiteId>,
    ) {
        /// Less than that says nothing.
        const LEAST: usize = 2;
        let Some(start) = start else { return };
        let room = last.saturating_sub(start + 1);
        let site = self.check.site;
        let Some(state) = scene.monitor.site(site).filter(|_| room >= LEAST) else {
            return;
        };
        let name = cut(&clean(&state.site().name, 60), room);
        let style = if followed == Some(site) {
            PLAIN.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else if axis.is_faded(area.y, start) {
            DIM
        } else {
            // Not in the colour of the bar that it stands on.
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

    /// How it ended, in words, where nothing else stands behind it.
    fn outcome(&self, buffer: &mut Buffer, area: Rect, axis: &Axis, end: usize, style: Style) {
        let reason = self.check.record().found.and_then(|found| found.reason);
        let reason = reason.map_or("", |reason| reason.word());
        let text = format!(" DOWN {reason} {}", brief(self.check.took()));
        let next = self.next.and_then(|next| {
            let due = next.due.min(next.started);
            axis.place(due).filter(|place| *place > end)
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
