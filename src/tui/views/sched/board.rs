//! What the lanes are and which checks stand in each: gathered from what is on record, not
//! yet drawn.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::domain::{Moment, RanOn, SiteId};
use crate::trace::{Doing, Record};
use crate::tui::lanes::Axis;
use crate::tui::place::{Grouping, Place};
use crate::tui::scene::Scene;
use crate::tui::state::State;

use super::columns::Columns;
use super::shares::Shares;

/// What a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A process above its threads.
    Process {
        pid: u32,
        host: String,
        lanes: usize,
    },
    /// A thread. `many`: it goes from check to check and holds none while it waits.
    Thread { who: RanOn, many: bool, gone: bool },
    /// A site.
    Site(SiteId),
    /// One check.
    Task,
}

/// The checks of a lane. A page may show ten thousand tasks, of which each is one check:
/// those need no memory of their own.
#[derive(Clone, Debug)]
pub(crate) enum Checks<'a> {
    One([&'a Record; 1]),
    Many(Vec<&'a Record>),
}

impl<'a> Deref for Checks<'a> {
    type Target = [&'a Record];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

/// One row: a lane and what stands in it.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) kind: Kind,
    /// The checks, by their starts.
    pub(crate) records: Checks<'a>,
}

impl Row<'_> {
    /// Whether something can be selected in it.
    pub(crate) const fn is_lane(&self) -> bool {
        !matches!(self.kind, Kind::Process { .. })
    }

    fn failed(&self) -> bool {
        self.records.iter().any(|record| record.failed())
    }

    fn slowest(&self) -> Duration {
        let took = self.records.iter().map(|record| record.took());
        took.max().unwrap_or_default()
    }
}

/// The rows, and the scale they are drawn to.
#[derive(Clone, Debug)]
pub(crate) struct Board<'a> {
    pub(crate) axis: Axis,
    pub(crate) columns: Columns,
    pub(crate) rows: Vec<Row<'a>>,
    /// Every check that is shown, by its start.
    pub(crate) records: Vec<&'a Record>,
}

/// The moment that the picture is of.
pub(crate) fn now(state: &State, scene: &Scene<'_>) -> Moment {
    match &state.frozen {
        Some(frozen) => frozen.summary.now.mono,
        None => scene.record.ledger.now(),
    }
}

impl<'a> Board<'a> {
    /// Gathers the lanes for a body of this size.
    pub(crate) fn gather(state: &State, scene: &Scene<'a>, area: Rect) -> Self {
        let columns = Columns::of(area.width);
        let ledger = scene.record.ledger;
        let anchor = ledger.swept().unwrap_or_default();
        let (now, held) = (now(state, scene), state.frozen.is_some());
        let cells = area.width.saturating_sub(columns.width()).max(1);
        let axis = state.place.axis(anchor, now, held, cells);
        let (from, to) = axis.range();
        let mut records: Vec<_> = ledger.between(from, to).collect();
        // Once for all lanes, which are filled in this order.
        records.sort_by_cached_key(|record| (record.started, record.site()));
        let mut board = Self {
            axis,
            columns,
            rows: Vec::new(),
            records,
        };
        board.rows = match state.place.grouping {
            Grouping::Thread => board.threads(scene),
            Grouping::Site => board.sites(scene),
            Grouping::Task => {
                let mut rows = board.threads(scene);
                rows.retain(|row| matches!(row.kind, Kind::Thread { gone: false, .. }));
                rows.truncate(4);
                rows.extend(board.tasks());
                rows
            }
        };
        board
    }

    /// The threads that may run checks, and those that did on this page.
    fn threads(&self, scene: &Scene<'_>) -> Vec<Row<'a>> {
        let ledger = scene.record.ledger;
        let census = scene.census;
        let mut lanes: BTreeMap<(u32, u32), Vec<&'a Record>> = BTreeMap::new();
        let roster: BTreeMap<(u32, u32), &RanOn> = ledger
            .roster()
            .iter()
            .map(|who| ((who.pid, who.tid), who))
            .collect();
        for key in roster.keys() {
            lanes.insert(*key, Vec::new());
        }
        for record in &self.records {
            let pid = record.ran_on.pid;
            let tids = record.notes.slices.iter().map(|slice| slice.tid);
            let mut before = 0;
            for tid in tids.chain([record.ran_on.tid]) {
                if tid == before || tid == 0 {
                    continue;
                }
                before = tid;
                let lane = lanes.entry((pid, tid)).or_default();
                // It may have gone to another thread and come back.
                if lane.last().is_none_or(|last| !std::ptr::eq(*last, *record)) {
                    lane.push(record);
                }
            }
        }
        let mut rows: Vec<Row<'a>> = Vec::new();
        let mut groups: Vec<(u32, String, Vec<Row<'a>>)> = Vec::new();
        for (key, records) in lanes {
            let gone = !roster.contains_key(&key);
            let Some(who) = roster
                .get(&key)
                .copied()
                .or_else(|| ledger.thread(key.0, key.1))
            else {
                continue;
            };
            let overlap = records.windows(2).any(|two| two[1].started < two[0].ended);
            let many = overlap || (!gone && census.workers > census.threads);
            let kind = Kind::Thread {
                who: who.clone(),
                many,
                gone,
            };
            let records = Checks::Many(records);
            let row = Row { kind, records };
            match groups.last_mut() {
                Some((pid, _, rows)) if *pid == key.0 => rows.push(row),
                _ => groups.push((key.0, who.host.to_string(), vec![row])),
            }
        }
        let alone = groups.len() == 1;
        if groups.iter().all(|(pid, ..)| *pid != scene.record.pid) && !groups.is_empty() {
            let host = String::new();
            rows.push(Row {
                kind: Kind::Process {
                    pid: scene.record.pid,
                    host,
                    lanes: 0,
                },
                records: Checks::Many(Vec::new()),
            });
        }
        for (pid, host, mut lanes) in groups {
            lanes.sort_by_key(|row| order(&row.kind));
            if alone || lanes.len() > 1 {
                rows.push(Row {
                    kind: Kind::Process {
                        pid,
                        host,
                        lanes: lanes.len(),
                    },
                    records: Checks::Many(Vec::new()),
                });
            }
            rows.extend(lanes);
        }
        rows
    }

    /// All sites that were due on this page, in the order of the configuration.
    fn sites(&self, scene: &Scene<'_>) -> Vec<Row<'a>> {
        /// With more sites than that only those that were checked have a lane.
        const ALL: usize = 500;
        let mut lanes: BTreeMap<SiteId, Vec<&'a Record>> = BTreeMap::new();
        let ids = scene.monitor.ids();
        if ids.len() <= ALL {
            lanes.extend(ids.iter().map(|id| (*id, Vec::new())));
        }
        for record in &self.records {
            lanes.entry(record.site()).or_default().push(record);
        }
        for job in scene.record.ledger.waiting() {
            lanes.entry(job.site).or_default();
        }
        let rows = lanes.into_iter().map(|(site, records)| Row {
            kind: Kind::Site(site),
            records: Checks::Many(records),
        });
        rows.collect()
    }

    /// Each check of this page, the first first.
    fn tasks(&self) -> impl ExactSizeIterator<Item = Row<'a>> {
        self.records.iter().map(|record| Row {
            kind: Kind::Task,
            records: Checks::One([record]),
        })
    }

    /// The rows that are shown where `height` fit, and how many lanes are not. What is shown
    /// of too many: those around the selected one, or else those that failed, the slowest,
    /// the last, and the first of the others.
    pub(crate) fn shown(&self, lane: usize, height: usize) -> (Vec<usize>, usize) {
        let all = self.rows.len();
        if all <= height {
            return ((0..all).collect(), 0);
        }
        let height = height.max(1);
        let mut shown: Vec<usize> = if lane >= height {
            (lane + 1 - height..=lane.min(all - 1)).collect()
        } else {
            self.best(height)
        };
        shown.sort_unstable();
        let lanes =
            |rows: &mut dyn Iterator<Item = &Row<'_>>| rows.filter(|row| row.is_lane()).count();
        let visible = lanes(&mut shown.iter().filter_map(|index| self.rows.get(*index)));
        let hidden = lanes(&mut self.rows.iter()) - visible;
        (shown, hidden)
    }

    fn best(&self, height: usize) -> Vec<usize> {
        let rows = || self.rows.iter().enumerate();
        let heads = rows().filter(|(_, row)| match &row.kind {
            Kind::Process { .. } => true,
            Kind::Thread { .. } => self.rows.iter().any(|row| row.kind == Kind::Task),
            _ => false,
        });
        let mut shown: Vec<usize> = heads.map(|(index, _)| index).take(height).collect();
        let mut add = |index: usize| {
            if shown.len() < height && !shown.contains(&index) {
                shown.push(index);
            }
        };
        let failed = rows()
            .filter(|(_, row)| row.failed())
            .map(|(index, _)| index);
        failed.take(height / 3).for_each(&mut add);
        let slowest = rows().max_by_key(|(_, row)| row.slowest());
        slowest.into_iter().for_each(|(index, _)| add(index));
        add(self.rows.len() - 1);
        (0..self.rows.len()).for_each(add);
        shown
    }

    /// The lane and the check that the cursor is on, as far as they are on this page.
    pub(crate) fn selected(&self, place: &Place) -> Option<(usize, &'a Record)> {
        let job = place.cursor?;
        let find = |row: &Row<'a>| row.records.iter().find(|record| record.job == job).copied();
        let here = self.rows.get(place.lane).and_then(find);
        if let Some(record) = here {
            return Some((place.lane, record));
        }
        let mut rows = self.rows.iter().enumerate();
        rows.find_map(|(index, row)| Some((index, find(row)?)))
    }
}

/// Threads in the order of their numbers: "thread-2" before "thread-10".
fn order(kind: &Kind) -> (String, u64, u32) {
    let Kind::Thread { who, .. } = kind else {
        return (String::new(), 0, 0);
    };
    let name = who.thread.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = who.thread[name.len()..].parse().unwrap_or(0);
    (name.to_owned(), number, who.tid)
}

impl Row<'_> {
    /// What it did on the page; `in_flight` is the share of the time in which any check was.
    pub(crate) fn shares(&self, axis: &Axis, in_flight: f64) -> Shares {
        let (from, to) = axis.range();
        let total = (to.since(from).as_nanos() as f64).max(1.0);
        // Nanoseconds are added up: a lane may have ten thousand checks.
        let within = |a: Moment, b: Moment| b.min(to).since(a.max(from)).as_nanos() as u64;
        let (tid, many) = match &self.kind {
            Kind::Thread { who, many, .. } => (Some(who.tid), *many),
            _ => (None, false),
        };
        let (mut held, mut running, mut locked) = (0, 0, 0);
        let mut late = Duration::ZERO;
        for record in self.records.iter() {
            late = late.max(record.late());
            held += within(record.started, record.ended);
            for slice in &record.notes.slices {
                if tid.is_some_and(|tid| tid != slice.tid) {
                    continue;
                }
                match slice.doing {
                    Doing::Running => running += within(slice.start, slice.end),
                    Doing::Locked => locked += within(slice.start, slice.end),
                }
            }
        }
        let share = |nanos: u64| nanos as f64 / total;
        let held = if many { in_flight } else { share(held) };
        let (running, locked) = (share(running), share(locked));
        Shares {
            running,
            locked,
            waiting: (held - running - locked).max(0.0),
            late,
        }
    }
}
