//! Which lanes there are and which checks each holds, gathered from the trace before drawing.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::domain::{Moment, RanOn};
use crate::paradigm::{Law, QueueFigures, WorkerFigures};
use crate::trace::{CheckProgress, CheckSummary};
use crate::tui::lanes::Axis;
use crate::tui::sched_state::{Grouping, PageTime, SchedState};
use crate::tui::state::UiState;
use crate::tui::view_model::ViewModel;

use super::by_site::by_site;
use super::host_rows::{self, HostRow};
use super::lane_columns::LaneColumns;
use super::lane_row::{LaneKind, LaneRow, order};

/// The rows of the screen, and the axis that lanes are drawn to.
#[derive(Clone, Debug)]
pub(crate) struct LaneLayout<'a> {
    pub(crate) axis: Axis,
    pub(crate) columns: LaneColumns,
    /// The rows above the tasks.
    rows: Vec<LaneRow<'a>>,
    /// Checks that have a row of their own, by their indices in `checks`. A page may hold ten
    /// thousand, of which few are drawn, so their rows are made on demand.
    tasks: Vec<u32>,
    /// Every check of the page, ordered by start.
    pub(crate) checks: Vec<&'a CheckSummary>,
    /// The span of time that `checks` was gathered for.
    window: (Moment, Moment),
    /// The spans that the numbers beside the lanes are computed over; see [`SETTLED`].
    settled: [(Moment, Moment); SETTLED],
}

/// Groups of lanes whose numbers change at different frames. Numbers that changed with every
/// frame would be unreadable, and cost more bytes on a slow line than the lanes do.
const SETTLED: usize = 10;

/// The moment that the screen shows: the present, or when the display was frozen.
pub(crate) fn now(state: &UiState, model: &ViewModel<'_>) -> Moment {
    match &state.frozen {
        Some(frozen) => frozen.summary.now.mono,
        None => model.trace.store.now(),
    }
}

impl<'a> LaneLayout<'a> {
    /// Gathers the lanes for a body of the size of `area`.
    pub(crate) fn gather(state: &UiState, model: &ViewModel<'a>, area: Rect) -> Self {
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

    /// The lanes of the threads that may run checks, and of those that ran any on this page.
    /// The lanes are empty still.
    fn threads(&self, model: &ViewModel<'a>, room: usize) -> Vec<LaneRow<'a>> {
        let store = model.trace.store;
        // Where checks are tasks, a thread switches between them.
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
                // The parent's own row, above, stands for it where it runs no checks.
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

    /// One lane a site, in the order of the configuration.
    fn sites(&self, model: &ViewModel<'_>) -> Vec<LaneRow<'a>> {
        /// With more sites than this, only those with checks on the page have a lane.
        const ALL_SITES_LIMIT: usize = 500;
        let ids = model.monitor.ids();
        let mut others = BTreeSet::new();
        if ids.len() <= ALL_SITES_LIMIT {
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

    /// The span that the numbers of the lane in screen line `line` are computed over.
    pub(crate) const fn settled(&self, line: u16) -> (Moment, Moment) {
        self.settled[line as usize % SETTLED]
    }

    /// The row at an index; `None` past the end.
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

    /// The index and the checks of every row, in order.
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

    /// The checks of the row at an index.
    pub(crate) fn checks_of(&self, index: usize) -> &[&'a CheckSummary] {
        match index.checked_sub(self.rows.len()) {
            None => &self.rows[index].records,
            Some(task) => self.task(task).map_or(&[], std::slice::from_ref),
        }
    }

    /// The indices of the rows to show in `height` lines, and the number of lanes left out.
    /// Where not all fit: the rows up to the selected one; without a selection below the
    /// screen, lanes in flight, lanes that failed, the slowest, the last, then the first ones.
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
        // A single pass: reading ten thousand checks from memory is slow.
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

    /// Whether every live lane is the main thread of a process.
    pub(crate) fn of_processes(&self) -> bool {
        let alive = self.rows.iter().filter(|row| !row.is_gone());
        let mut lanes = alive.filter_map(|row| row.kind.who());
        let first = lanes.next();
        first.is_some_and(|who| who.pid == who.tid) && lanes.all(|who| who.pid == who.tid)
    }

    /// The lane and the check that the cursor is on; `None` if they are not on this page.
    pub(crate) fn selected(&self, place: &SchedState) -> Option<(usize, &'a CheckSummary)> {
        let job = place.cursor?;
        let find =
            |checks: &[&'a CheckSummary]| checks.iter().find(|check| check.job() == job).copied();
        if place.lane < self.rows.len() + self.tasks.len()
            && let Some(check) = find(self.checks_of(place.lane))
        {
            return Some((place.lane, check));
        }
        // From the bottom: checks with rows of their own stand below their threads' lanes.
        let mut lanes = self.lanes().rev();
        lanes.find_map(|(index, checks)| Some((index, find(checks)?)))
    }
}

/// The span of each group's numbers. Each group is updated once a second, or ten times a page
/// if that is shorter, the groups one after another. A page that stands still is taken whole.
fn settled(
    state: &UiState,
    time: PageTime,
    cells: u16,
    axis: &Axis,
) -> [(Moment, Moment); SETTLED] {
    const UPDATE_NANOS: u64 = 1_000_000_000;
    let page = axis.cell().as_nanos() as u64 * u64::from(cells);
    let period = UPDATE_NANOS.min(page / 10).max(1);
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

/// Orders the lanes of threads below their hosts and workers.
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
