//! A row of the Scheduling screen: a lane with its checks, or a line of text above lanes.

use std::time::Duration;

use crate::domain::{Moment, RanOn, SiteId};
use crate::trace::{CheckSummary, SliceKind, ThreadTrace};
use crate::tui::format::{bytes, plural};
use crate::tui::lanes::Axis;
use crate::tui::view_model::{Tone, ViewModel};

use super::time_shares::TimeShares;

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LaneKind {
    /// A process, above the lanes of its threads; `lanes` counts the live ones.
    Process {
        pid: u32,
        host: String,
        lanes: usize,
    },
    /// A line of text about the rows below it.
    Sentence(String, Tone),
    /// A thread. `many`: it switches between checks, and holds none while they wait. `gone`:
    /// it has ended, or its worker has.
    Thread { who: RanOn, many: bool, gone: bool },
    /// The lane of a site: all of its checks.
    Site(SiteId),
    /// The lane of a single check.
    Task,
}

impl LaneKind {
    /// The thread of a thread's lane; `None` for other rows.
    pub(super) const fn who(&self) -> Option<&RanOn> {
        match self {
            Self::Thread { who, .. } => Some(who),
            _ => None,
        }
    }
}

/// One row, and the checks in it.
#[derive(Clone, Debug)]
pub(crate) struct LaneRow<'a> {
    pub(crate) kind: LaneKind,
    /// The checks of the lane, in the order of their starts.
    pub(crate) records: Vec<&'a CheckSummary>,
    /// The thread's share of the trace; `None` unless it is a thread's lane.
    pub(super) part: Option<ThreadTrace<'a>>,
}

impl<'a> LaneRow<'a> {
    /// A lane of checks, which are ordered by start.
    pub(super) const fn lane(kind: LaneKind, records: Vec<&'a CheckSummary>) -> Self {
        Self {
            kind,
            records,
            part: None,
        }
    }

    /// The lane of a thread, still without checks: see [`fill`](Self::fill).
    pub(super) const fn thread(kind: LaneKind, part: ThreadTrace<'a>) -> Self {
        Self {
            kind,
            records: Vec::new(),
            part: Some(part),
        }
    }

    /// Fills a thread's lane with the checks that the thread ran between two moments.
    pub(super) fn fill(&mut self, (from, to): (Moment, Moment)) {
        if let (Some(part), LaneKind::Thread { many, .. }) = (&self.part, &mut self.kind) {
            self.records = part.by_start(from, to);
            let mut neighbours = self.records.windows(2);
            *many = *many || neighbours.any(|two| two[1].started < two[0].ended);
        }
    }

    /// A row without checks.
    pub(super) const fn bare(kind: LaneKind) -> Self {
        Self::lane(kind, Vec::new())
    }

    /// The lane of one check.
    pub(super) fn task(check: &'a CheckSummary) -> Self {
        Self::lane(LaneKind::Task, vec![check])
    }
}

impl LaneRow<'_> {
    /// For a site's lane: when each of its checks that wait for a worker was due.
    pub(super) fn waiting<'s>(
        &self,
        model: &ViewModel<'s>,
    ) -> impl Iterator<Item = Moment> + use<'s> {
        let of = match self.kind {
            LaneKind::Site(site) => Some(site),
            _ => None,
        };
        let jobs = of.map(|site| (site, model.trace.store.waiting()));
        jobs.into_iter().flat_map(|(site, jobs)| {
            let jobs = jobs.iter().filter(move |job| job.site == site);
            jobs.map(|job| job.due)
        })
    }

    /// Whether it is a lane, in which checks can be selected.
    pub(crate) const fn is_lane(&self) -> bool {
        !matches!(self.kind, LaneKind::Process { .. } | LaneKind::Sentence(..))
    }

    /// Whether it is the lane of a thread that has ended.
    pub(super) const fn is_gone(&self) -> bool {
        matches!(self.kind, LaneKind::Thread { gone: true, .. })
    }

    /// The share of the page, from 0 to 1, in which at least one of its checks was in flight.
    pub(crate) fn in_flight(&self, axis: &Axis) -> f64 {
        let (from, to) = axis.range();
        let (mut covered, mut until) = (Duration::ZERO, from);
        for record in &self.records {
            let end = record.ended.min(to);
            covered += end.since(record.started.max(until));
            until = until.max(end);
        }
        covered.as_secs_f64() / to.since(from).as_secs_f64().max(1e-9)
    }
}

/// The sort key of a thread's lane, which puts "thread-2" before "thread-10".
pub(super) fn order(kind: &LaneKind) -> (String, u64, u32) {
    let LaneKind::Thread { who, .. } = kind else {
        return (String::new(), 0, 0);
    };
    let name = who.thread.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = who.thread[name.len()..].parse().unwrap_or(0);
    (name.to_owned(), number, who.tid)
}

impl LaneRow<'_> {
    /// How the time between two moments was spent. `in_flight` is the share of it in which any
    /// check was in flight, used for threads that hold no check while it waits.
    pub(crate) fn shares(&self, (from, to): (Moment, Moment), in_flight: f64) -> TimeShares {
        let total = (to.nanos_since(from) as f64).max(1.0);
        // Sums of whole nanoseconds: a lane may hold ten thousand checks.
        let within = |a: Moment, b: Moment| b.min(to).nanos_since(a.max(from));
        let many = matches!(self.kind, LaneKind::Thread { many: true, .. });
        let (mut held, mut running, mut locked, mut late) = (0, 0, 0, 0);
        let mut count = |doing: SliceKind, nanos: u64| match doing {
            SliceKind::Running => running += nanos,
            SliceKind::Locked => locked += nanos,
        };
        if let Some(part) = &self.part {
            part.busy(from, to, |doing, bundle| {
                let nanos = bundle.within(from, to);
                count(doing, nanos.unwrap_or_default());
                nanos.is_some()
            });
        }
        let is_thread = self.kind.who().is_some();
        for check in &self.records {
            // A check not started yet makes its site late, but not the thread that takes it.
            if check.started <= to {
                late = late.max(check.started.nanos_since(check.due));
            } else if !is_thread {
                late = late.max(to.nanos_since(check.due));
            }
            if !many {
                held += within(check.started, check.ended);
            }
            if self.part.is_none() {
                for slice in &check.record().log.slices {
                    count(slice.doing, within(slice.start, slice.end));
                }
            }
        }
        let share = |nanos: u64| nanos as f64 / total;
        let held = if many { in_flight } else { share(held) };
        let (running, locked) = (share(running), share(locked));
        TimeShares {
            running,
            locked,
            waiting: (held - running - locked).max(0.0),
            late: Duration::from_nanos(late),
        }
    }
}

/// The line of a process, which stands above the lanes of its threads.
pub(crate) fn process_line(model: &ViewModel<'_>, pid: u32, host: &str, lanes: usize) -> String {
    let memory = model.trace.kernel.memory(pid);
    if pid != model.trace.pid {
        let memory = memory.map_or_else(String::new, |memory| format!(", {}", bytes(memory)));
        return format!(
            "host {host}, pid {pid}: {}{memory}",
            plural(lanes, "thread")
        );
    }
    if lanes == 0 {
        return format!("pid {pid}, this program: the parent, sends checks through pipes");
    }
    let memory = memory.or(model.process.rss);
    let memory = memory.map_or_else(|| "its memory".to_owned(), bytes);
    let threads = match lanes {
        1 => "1 thread has".to_owned(),
        number => format!("{} share", plural(number, "thread")),
    };
    let sampled = model.trace.kernel.process_usage(pid);
    let sampled = sampled.map_or_else(String::new, |usage| {
        format!(
            ", sampled ~{:.0}% cpu, ~{}/s",
            usage.cpu * 100.0,
            plural(usage.switches.round() as u64, "switch")
        )
    });
    format!("pid {pid}, this program: {threads} {memory} of memory{sampled}")
}
