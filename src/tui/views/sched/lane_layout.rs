//! What the lanes are and which checks stand in each: gathered from what is on record, not
//! yet drawn.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::domain::{Moment, RanOn};
use crate::paradigm::{Law, QueueFigures, WorkerFigures};
use crate::trace::{CheckProgress, CheckSummary};
use crate::tui::lanes::Axis;
use crate::tui::sched_state::{Grouping, PageTime, SchedState};
use crate::tui::state::State;
use crate::tui::view_model::ViewModel;

use super::by_site::by_site;
use super::host_rows::{self, HostRow};
use super::lane_columns::LaneColumns;
use super::lane_row::{LaneKind, LaneRow, order};

/// The rows, and the scale they are drawn to.
#[derive(Clone, Debug)]
pub(crate) struct LaneLayout<'a> {
    pub(crate) axis: Axis,
    pub(crate) columns: LaneColumns,
    /// Those that are gathered; below them stand the tasks.
    rows: Vec<LaneRow<'a>>,
    /// Checks that have a row of their own, by their places in `checks`. A page may show ten
    /// thousand, of which few are drawn: their rows are made when they are asked for.
    tasks: Vec<u32>,
    /// Every check that is shown, by its start.
    pub(crate) checks: Vec<&'a CheckSummary>,
    /// The time that these were due, or in flight, in.
    window: (Moment, Moment),
    /// The stretches of time that the numbers beside the lanes are of.
    settled: [(Moment, Moment); SETTLED],
}

/// Numbers that changed with every frame could not be read, and would cost a slow line more
/// than the lanes do. Each lane's change once in so many frames, and not all at once.
const SETTLED: usize = 10;

/// The moment that the picture is of.
pub(crate) fn now(state: &State, model: &ViewModel<'_>) -> Moment {
    match &state.frozen {
        Some(frozen) => frozen.summary.now.mono,
        None => model.trace.store.now(),
    }
}

impl<'a> LaneLayout<'a> {
    /// Gathers the lanes for a body of this size.
    pub(crate) fn gather(state: &State, model: &ViewModel<'a>, area: Rect) -> Self {
        let columns = LaneColumns::of(area.width);
        let store = model.trace.store;
        let anchor = store.sweep_due().unwrap_or_default();
        let (now, held) = (now(state, model), state.frozen.is_some());
        let cells = area.width.saturating_sub(columns.width()).max(1);
        let interval = model.trace.interval;
        let time = PageTime {
            anchor,
            now,
            held,
            interval,
        };
        let axis = state.sched.axis(time, cells);
        let (from, to) = axis.range();
        let settled = settled(state, time, cells, &axis);
        let first = settled.iter().map(|(first, _)| *first).min();
        let window = (first.unwrap_or(from).min(from), to);
        let checks = store.by_start(window.0, window.1);
        let mut layout = Self {
            axis,
            columns,
            rows: Vec::new(),
            tasks: Vec::new(),
            checks,
            window,
            settled,
        };
        layout.rows = match state.sched.grouping {
            Grouping::Thread => {
                let mut rows = layout.threads(model, usize::from(area.width.saturating_sub(2)));
                rows.iter_mut().for_each(|row| row.fill(window));
                rows
            }
            Grouping::Site => layout.sites(model),
            Grouping::Task => {
                let mut rows = layout.threads(model, usize::from(area.width));
                rows.retain(|row| matches!(row.kind, LaneKind::Thread { gone: false, .. }));
                rows.truncate(4);
                rows.iter_mut().for_each(|row| row.fill(window));
                let checks = (0..).zip(&layout.checks);
                let shown = checks.filter(|(_, check)| check.ended >= from);
                layout.tasks = shown.map(|(place, _)| place).collect();
                rows
            }
        };
        layout
    }

    /// The threads that may run checks, and those that did on this page; their lanes are still
    /// to be filled.
    fn threads(&self, model: &ViewModel<'a>, room: usize) -> Vec<LaneRow<'a>> {
        let store = model.trace.store;
        // The threads of a paradigm whose checks are tasks go from one to the next.
        let label = model.paradigms.get(model.active);
        let tasks = label.filter(|label| label.law == Law::Slowest);
        let tasks = tasks.map(|label| label.name);
        let mut rows: Vec<LaneRow<'a>> = Vec::new();
        let mut groups: Vec<(u32, String, Vec<LaneRow<'a>>)> = Vec::new();
        for part in store.thread_traces() {
            let (host, pid, gone) = (part.host, part.pid, !part.is_present);
            let (from, to) = self.window;
            let shown = !gone || !part.by_start(from, to).is_empty();
            let Some(who) = part.who.filter(|_| shown) else {
                continue;
            };
            let ours = model.trace.queue.is_none() && !gone;
            let kind = LaneKind::Thread {
                who: who.clone(),
                many: ours && tasks.is_some_and(|name| who.thread.starts_with(name)),
                gone,
            };
            let row = LaneRow::thread(kind, part);
            match groups.last_mut() {
                Some((of, at, rows)) if *of == pid && **at == **host => rows.push(row),
                _ => groups.push((pid, who.host.to_string(), vec![row])),
            }
        }
        if let Some(queue) = model.trace.queue {
            let lanes = groups.into_iter().flat_map(|(.., mut lanes)| {
                lanes.sort_by_key(|row| order(&row.kind));
                lanes
            });
            return by_host(queue, lanes.collect(), room);
        }
        let alone = groups.len() == 1;
        let lives = |rows: &[LaneRow<'_>]| rows.iter().filter(|row| !row.is_gone()).count();
        let ours = groups.iter().filter(|(pid, ..)| *pid == model.trace.pid);
        let ours: usize = ours.map(|(.., rows)| lives(rows)).sum();
        if ours == 0 && !groups.is_empty() {
            let host = String::new();
            rows.push(LaneRow::bare(LaneKind::Process {
                pid: model.trace.pid,
                host,
                lanes: 0,
            }));
        }
        for (pid, host, mut lanes) in groups {
            lanes.sort_by_key(|row| order(&row.kind));
            if alone || lanes.len() > 1 {
                let ours = pid == model.trace.pid;
                let alive = lives(&lanes);
                // Of the parent it is said above that it only hands checks out.
                if alive > 0 || !ours {
                    rows.push(LaneRow::bare(LaneKind::Process {
                        pid,
                        host,
                        lanes: alive,
                    }));
                }
            }
            rows.extend(lanes);
        }
        rows
    }

    /// All sites that were due on this page, in the order of the configuration.
    fn sites(&self, model: &ViewModel<'_>) -> Vec<LaneRow<'a>> {
        /// With more sites than that only those that were checked have a lane.
        const ALL: usize = 500;
        let ids = model.monitor.ids();
        let mut others = BTreeSet::new();
        if ids.len() <= ALL {
            others.extend(ids);
        }
        others.extend(model.trace.store.waiting().iter().map(|job| job.site));
        let order = by_site(&self.checks);
        let of_one = order.chunk_by(|one, other| one.site == other.site);
        let mut rows: Vec<_> = of_one
            .filter_map(|checks| {
                let site = checks.first()?.site;
                others.remove(&site);
                Some((site, checks.to_vec()))
            })
            .collect();
        if !others.is_empty() {
            rows.extend(others.into_iter().map(|site| (site, Vec::new())));
            rows.sort_by_key(|(site, _)| *site);
        }
        rows.into_iter()
            .map(|(site, checks)| LaneRow::lane(LaneKind::Site(site), checks))
            .collect()
    }

    /// The stretch of time that the numbers of the lane in this line are of.
    pub(crate) const fn settled(&self, line: u16) -> (Moment, Moment) {
        self.settled[line as usize % SETTLED]
    }

    /// The row at a place.
    pub(crate) fn row(&self, index: usize) -> Option<Cow<'_, LaneRow<'a>>> {
        match index.checked_sub(self.rows.len()) {
            None => self.rows.get(index).map(Cow::Borrowed),
            Some(task) => self
                .task(task)
                .map(|check| Cow::Owned(LaneRow::task(check))),
        }
    }

    fn task(&self, index: usize) -> Option<&&'a CheckSummary> {
        self.checks.get(*self.tasks.get(index)? as usize)
    }

    /// The checks of every row, from the first row to the last.
    pub(crate) fn lanes(&self) -> impl DoubleEndedIterator<Item = (usize, &[&'a CheckSummary])> {
        let rows = self.rows.iter().map(|row| &*row.records);
        let rows = rows.enumerate();
        let tasks = self.tasks.iter().enumerate().map(|(index, place)| {
            let check = self.checks.get(*place as usize);
            (
                self.rows.len() + index,
                check.map_or(&[][..], std::slice::from_ref),
            )
        });
        rows.chain(tasks)
    }

    /// The checks of a row.
    pub(crate) fn checks_of(&self, index: usize) -> &[&'a CheckSummary] {
        match index.checked_sub(self.rows.len()) {
            None => &self.rows[index].records,
            Some(task) => self.task(task).map_or(&[], std::slice::from_ref),
        }
    }

    /// The rows that are shown where `height` fit, and how many lanes are not. What is shown
    /// of too many: those around the selected one, or else those that run, those that failed,
    /// the slowest, the last, and the first of the others.
    pub(crate) fn shown(&self, lane: usize, height: usize) -> (Vec<usize>, usize) {
        let all = self.rows.len() + self.tasks.len();
        if all <= height {
            return ((0..all).collect(), 0);
        }
        let height = height.max(1);
        let mut shown: Vec<usize> = if lane >= height {
            (lane + 1 - height..=lane.min(all - 1)).collect()
        } else {
            self.best(height, all)
        };
        shown.sort_unstable();
        let is_lane = |index: &usize| self.rows.get(*index).is_none_or(LaneRow::is_lane);
        let visible = shown.iter().copied().filter(|index| is_lane(index)).count();
        let lanes = self.rows.iter().filter(|row| row.is_lane()).count() + self.tasks.len();
        (shown, lanes - visible)
    }

    fn best(&self, height: usize, all: usize) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        let heads = rows.filter(|(_, row)| match &row.kind {
            LaneKind::Process { .. } | LaneKind::Sentence(..) => true,
            LaneKind::Thread { .. } => !self.tasks.is_empty(),
            _ => false,
        });
        let mut shown: Vec<usize> = heads.map(|(index, _)| index).take(height).collect();
        let mut add = |index: usize| {
            if shown.len() < height && !shown.contains(&index) {
                shown.push(index);
            }
        };
        // One pass: of ten thousand checks each has to come from far.
        let (mut flying, mut failed, mut slowest) = (Vec::new(), Vec::new(), None);
        for (index, checks) in self.lanes() {
            let (mut flies, mut fails, mut longest) = (false, false, 0);
            for check in checks {
                flies |= check.progress == CheckProgress::InFlight;
                fails |= check.progress == CheckProgress::Failed;
                longest = longest.max(check.ended.nanos_since(check.started));
            }
            if flies && flying.len() < height / 3 {
                flying.push(index);
            }
            if fails && failed.len() < height / 3 {
                failed.push(index);
            }
            if slowest.is_none_or(|(_, known)| longest >= known) {
                slowest = Some((index, longest));
            }
        }
        let slowest = slowest.map(|(index, _)| index);
        let best = flying.into_iter().chain(failed).chain(slowest);
        best.for_each(&mut add);
        add(all - 1);
        (0..all.min(2 * height)).for_each(add);
        shown
    }

    /// Whether every lane is a process of its own.
    pub(crate) fn of_processes(&self) -> bool {
        let alive = self.rows.iter().filter(|row| !row.is_gone());
        let mut lanes = alive.filter_map(|row| row.kind.who());
        let first = lanes.next();
        first.is_some_and(|who| who.pid == who.tid) && lanes.all(|who| who.pid == who.tid)
    }

    /// The lane and the check that the cursor is on, as far as they are on this page.
    pub(crate) fn selected(&self, place: &SchedState) -> Option<(usize, &'a CheckSummary)> {
        let job = place.cursor?;
        let find =
            |checks: &[&'a CheckSummary]| checks.iter().find(|check| check.job() == job).copied();
        if place.lane < self.rows.len() + self.tasks.len()
            && let Some(check) = find(self.checks_of(place.lane))
        {
            return Some((place.lane, check));
        }
        // From below: where checks have rows of their own, those stand under their threads.
        let mut lanes = self.lanes().rev();
        lanes.find_map(|(index, checks)| Some((index, find(checks)?)))
    }
}

/// Up to when the numbers of lanes are taken: each a tenth of a second, or of a short page,
/// after the one before. A page that stands still, and what a page begins with, are taken whole.
fn settled(state: &State, time: PageTime, cells: u16, axis: &Axis) -> [(Moment, Moment); SETTLED] {
    const PERIOD: u64 = 1_000_000_000;
    let page = axis.cell().as_nanos() as u64 * u64::from(cells);
    let period = PERIOD.min(page / 10).max(1);
    std::array::from_fn(|class| {
        let shift = Duration::from_nanos(period * class as u64 / SETTLED as u64);
        let past = (time.now + shift).since(time.anchor).as_nanos() as u64;
        let now = time.anchor + Duration::from_nanos(past / period * period) - shift;
        if axis.hand().is_some() && now > time.anchor {
            state.sched.axis(PageTime { now, ..time }, cells).range()
        } else {
            axis.range()
        }
    })
}

/// The lanes under the hosts and workers that they are of.
fn by_host<'a>(queue: &QueueFigures, lanes: Vec<LaneRow<'a>>, room: usize) -> Vec<LaneRow<'a>> {
    let who: Vec<_> = lanes.iter().filter_map(|row| row.kind.who()).collect();
    let host_rows = host_rows::by_host(queue, &who, room);
    let at_once = |who: &RanOn| {
        let of = |worker: &&WorkerFigures| worker.pid == who.pid && *worker.host == *who.host;
        let worker = queue.workers.iter().find(of);
        worker.and_then(|worker| worker.concurrency).unwrap_or(1)
    };
    let mut lanes: Vec<_> = lanes.into_iter().map(Some).collect();
    let mut rows = Vec::new();
    for entry in host_rows {
        rows.extend(match entry {
            HostRow::Sentence(text, tone) => Some(LaneRow::bare(LaneKind::Sentence(text, tone))),
            HostRow::Idle(who) => Some(LaneRow::bare(LaneKind::Thread {
                many: at_once(&who) > 1,
                who,
                gone: false,
            })),
            HostRow::Lane(lane, dead) => {
                lanes.get_mut(lane).and_then(Option::take).map(|mut row| {
                    if let LaneKind::Thread { who, many, gone } = &mut row.kind {
                        *many |= at_once(who) > 1;
                        *gone |= dead;
                    }
                    row
                })
            }
        });
    }
    rows
}
