//! Records by start and by thread. Updated with every record that is added or removed, so that
//! ten thousand checks are drawn without reading their logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::domain::{Moment, RanOn};

use super::check_record::CheckRecord;
use super::check_summary::CheckSummary;
use super::poll_log::SliceKind;
use super::timeline::{Bundle, Timed, Timeline};

/// A thread: its host, process and id. Two hosts may well use the same numbers.
pub(super) type ThreadKey = (Arc<str>, u32, u32);

/// A stretch of time of one check on one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    start: Moment,
    end: Moment,
}

impl Timed for Stretch {
    fn key(&self) -> (Moment, Moment) {
        (self.start, self.end)
    }
}

/// Whether in a stretch the thread runs, waits for the interpreter lock, or a check is ready
/// and the thread is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StretchKind {
    Running,
    Locked,
    Ready,
}

/// The checks of one thread, and its stretches.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// The checks that it ran, alone or with others.
    checks: Timeline<CheckSummary>,
    /// Stretches by kind.
    running: Timeline<Stretch>,
    locked: Timeline<Stretch>,
    ready: Timeline<Stretch>,
}

impl Lane {
    const fn bytes(&self) -> usize {
        self.checks.bytes() + self.running.bytes() + self.locked.bytes() + self.ready.bytes()
    }

    const fn of(&mut self, part: StretchKind) -> &mut Timeline<Stretch> {
        match part {
            StretchKind::Running => &mut self.running,
            StretchKind::Locked => &mut self.locked,
            StretchKind::Ready => &mut self.ready,
        }
    }
}

/// Checks by their starts, and by threads.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    checks: Timeline<CheckSummary>,
    lanes: BTreeMap<ThreadKey, Lane>,
    /// Bytes of records and lanes.
    bytes: usize,
}

impl Index {
    /// The memory of records and index, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let lanes = self.lanes.len() * size_of::<(ThreadKey, Lane)>();
        self.bytes + self.checks.bytes() + lanes
    }

    pub(super) fn insert(&mut self, record: CheckRecord) {
        let check = CheckSummary::of(record);
        self.bytes += check.record_bytes();
        let record = check.record();
        for tid in threads(record) {
            let lane = self.lanes.entry(key(record, tid)).or_default();
            self.bytes -= lane.bytes();
            lane.checks.insert(check.clone());
            shares(record, tid, |share, stretch| {
                lane.of(share).insert(stretch);
            });
            self.bytes += lane.bytes();
        }
        self.checks.insert(check);
    }

    /// Removes the check that started first.
    pub(super) fn pop(&mut self) -> Option<CheckSummary> {
        let first = self.checks.first()?.key();
        let check = self.checks.remove(first, |_| true)?;
        self.bytes -= check.record_bytes();
        let record = check.record();
        for tid in threads(record) {
            let key = key(record, tid);
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            self.bytes -= lane.bytes();
            lane.checks.remove(first, |other| other.is_same(&check));
            shares(record, tid, |share, stretch| {
                lane.of(share).remove(stretch.key(), |_| true);
            });
            self.bytes += lane.bytes();
            if lane.checks.is_empty() {
                self.lanes.remove(&key);
            }
        }
        Some(check)
    }

    /// The check that started first.
    pub(super) fn first(&self) -> Option<&CheckSummary> {
        self.checks.first()
    }

    /// All checks, in the order of their starts.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &CheckSummary> {
        self.checks.iter()
    }

    /// The checks that were due or in flight between two moments, in the order of their starts.
    pub(super) fn between(&self, from: Moment, to: Moment) -> impl Iterator<Item = &CheckSummary> {
        self.checks.between(from, to)
    }
}

/// The checks of both timelines between two moments, in the order of their starts. The first
/// may hold ten thousand; the second holds few, and these started late.
fn merged<'a>(
    [ended, in_flight]: [Option<&'a Timeline<CheckSummary>>; 2],
    (from, to): (Moment, Moment),
) -> Vec<&'a CheckSummary> {
    let room = |line: &Timeline<CheckSummary>| line.room(from, to);
    let room = ended.map_or(0, room) + in_flight.map_or(0, room);
    let mut all = Vec::with_capacity(room);
    let mut take = |line: &'a Timeline<CheckSummary>| {
        line.between(from, to).for_each(|check| all.push(check));
        all.len()
    };
    let above = ended.map_or(0, &mut take);
    in_flight.map(take);
    if let Some(first) = all.get(above).map(|check| check.started) {
        let among = all[..above].partition_point(|check| check.started <= first);
        all[among..].sort_by_key(|check| check.started);
    }
    all
}

/// The checks of two indices between two moments, in the order of their starts.
pub(super) fn by_start(indices: [&Index; 2], from: Moment, to: Moment) -> Vec<&CheckSummary> {
    merged(indices.map(|index| Some(&index.checks)), (from, to))
}

fn key(record: &CheckRecord, tid: u32) -> ThreadKey {
    (Arc::clone(&record.ran_on.host), record.ran_on.pid, tid)
}

/// The ids of the threads that ran slices of a check, each once. Zero stands for no thread.
fn threads(record: &CheckRecord) -> SmallVec<[u32; 8]> {
    let mut threads = SmallVec::new();
    let slices = record.log.slices.iter().map(|slice| slice.tid);
    for tid in slices.chain([record.ran_on.tid]) {
        if tid != 0 && !threads.contains(&tid) {
            threads.push(tid);
        }
    }
    threads
}

/// Passes each stretch of a check on one thread to `each`. Where two slices overlap, as they may
/// on clocks that differ, the overlap is passed once.
fn shares(record: &CheckRecord, tid: u32, mut each: impl FnMut(StretchKind, Stretch)) {
    let mut at = record.started;
    let mut give = |share, start: Moment, end: Moment| {
        if end > start {
            each(share, Stretch { start, end });
        }
    };
    for slice in &record.log.slices {
        if slice.tid == tid {
            let share = match slice.doing {
                SliceKind::Running => StretchKind::Running,
                SliceKind::Locked => StretchKind::Locked,
            };
            give(StretchKind::Ready, slice.ready.max(at), slice.start);
            give(share, slice.start.max(at), slice.end);
        }
        at = at.max(slice.end);
    }
}

/// A thread and the checks on record that it ran.
#[derive(Clone, Copy, Debug)]
pub struct ThreadTrace<'a> {
    /// The host's name.
    pub host: &'a Arc<str>,
    /// The process id.
    pub pid: u32,
    /// The thread id of the operating system.
    pub tid: u32,
    /// Its identity with its name; `None` if more threads were seen than are remembered.
    pub who: Option<&'a RanOn>,
    /// Whether it may run checks now.
    pub is_present: bool,
    /// Its lanes among checks that have ended, and among those in flight.
    lanes: [Option<&'a Lane>; 2],
}

impl<'a> ThreadTrace<'a> {
    /// The checks that it ran and that were due or in flight between two moments, in the order
    /// of their starts.
    #[must_use]
    pub fn by_start(&self, from: Moment, to: Moment) -> Vec<&'a CheckSummary> {
        merged(
            self.lanes.map(|lane| lane.map(|lane| &lane.checks)),
            (from, to),
        )
    }

    /// Passes its slices between two moments to `take`, bundled where `take` returns `true` for
    /// the bundle, otherwise one by one. Some may lie outside of the two moments.
    pub fn busy(&self, from: Moment, to: Moment, mut take: impl FnMut(SliceKind, Bundle) -> bool) {
        for lane in self.lanes.into_iter().flatten() {
            let take = &mut take;
            lane.running
                .bundles(from, to, |bundle| take(SliceKind::Running, bundle));
            lane.locked
                .bundles(from, to, |bundle| take(SliceKind::Locked, bundle));
        }
    }

    /// Like [`ThreadTrace::busy`], for the stretches in which a check was ready and this thread
    /// was busy with others.
    pub fn ready(&self, from: Moment, to: Moment, mut take: impl FnMut(Bundle) -> bool) {
        for lane in self.lanes.into_iter().flatten() {
            lane.ready.bundles(from, to, &mut take);
        }
    }
}

/// The threads that may run checks now and those that ran any, in the order of host, process
/// and thread id.
pub(super) fn parts<'a>(
    roster: &'a [RanOn],
    known: &'a BTreeMap<ThreadKey, RanOn>,
    indices: [&'a Index; 2],
) -> Vec<ThreadTrace<'a>> {
    let mut parts = BTreeMap::new();
    let part = |(host, pid, tid): (&'a Arc<str>, u32, u32)| ThreadTrace {
        host,
        pid,
        tid,
        who: None,
        is_present: false,
        lanes: [None; 2],
    };
    for who in roster {
        let key = (&who.host, who.pid, who.tid);
        let part = parts.entry(key).or_insert_with(|| part(key));
        (part.who, part.is_present) = (Some(who), true);
    }
    for (place, index) in indices.into_iter().enumerate() {
        for (key, lane) in &index.lanes {
            let (host, pid, tid) = key;
            let by = (host, *pid, *tid);
            let part = parts.entry(by).or_insert_with(|| part(by));
            part.who = part.who.or_else(|| known.get(key));
            part.lanes[place] = Some(lane);
        }
    }
    parts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, SiteId};
    use crate::trace::poll_log::{PollLog, Slice};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    /// A check of a thread of one of two hosts, with polls that may be those of others, may
    /// touch, and may overlap.
    fn records() -> impl Strategy<Value = CheckRecord> {
        let poll = (
            0_u64..40,
            (0_u64..3, 0_u64..5),
            0_u64..30,
            0_u32..4,
            any::<bool>(),
        );
        let polls = prop::collection::vec(poll, 0..9);
        let times = (0_u64..2_000, 0_u64..60, 0_u64..20);
        (times, any::<bool>(), 0_u32..4, polls).prop_map(
            |((due, queued, rest), host, tid, polls)| {
                let started = due + queued;
                let (mut now, mut log) = (started, PollLog::default());
                for (wait, (back, woken), run, tid, locked) in polls {
                    let start = (now + wait).saturating_sub(back);
                    now = start + run;
                    log.slices.push(Slice {
                        ready: at(start.saturating_sub(woken)),
                        start: at(start),
                        end: at(now),
                        tid,
                        doing: if locked {
                            SliceKind::Locked
                        } else {
                            SliceKind::Running
                        },
                    });
                }
                CheckRecord {
                    job: JobId {
                        site: SiteId::from_index(0),
                        due: at(due),
                    },
                    started: at(started),
                    ended: at(now + rest),
                    ran_on: RanOn {
                        host: if host { "a" } else { "b" }.into(),
                        pid: 1,
                        tid,
                        thread: "t".into(),
                    },
                    log,
                    found: None,
                }
            },
        )
    }

    /// The numbers of those between two moments.
    fn between<'a>(
        records: impl Iterator<Item = &'a CheckRecord>,
        (from, to): (Moment, Moment),
    ) -> Vec<usize> {
        records
            .filter(|record| record.job.due <= to && record.ended >= from)
            .map(|record| record.site().index())
            .collect()
    }

    /// What a thread did with checks, read from the notes of all records.
    fn stretches(
        records: &[CheckRecord],
        host: &str,
        tid: u32,
        (from, to): (Moment, Moment),
    ) -> Vec<(char, Moment, Moment)> {
        let mut all = Vec::new();
        for record in records.iter().filter(|record| *record.ran_on.host == *host) {
            let slices = &record.log.slices;
            for (place, slice) in slices.iter().enumerate() {
                let before = slices[..place].iter().map(|slice| slice.end).max();
                let least = before.unwrap_or_default().max(record.started);
                let mut add = |what, start, end| {
                    let shown = start <= to && end >= from && start < end;
                    if slice.tid == tid && shown {
                        all.push((what, start, end));
                    }
                };
                let what = if slice.doing == SliceKind::Locked {
                    'l'
                } else {
                    'r'
                };
                add(what, slice.start.max(least), slice.end);
                add('w', slice.ready.max(least), slice.start);
            }
        }
        all.sort_unstable();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_gives_what_a_reading_of_the_records_gives_whatever_comes_and_goes(
            ended in prop::collection::vec((records(), any::<u8>()), 0..400),
            flying in prop::collection::vec(records(), 0..20),
            rostered in 1_u32..4,
            windows in prop::collection::vec((0_u64..2_200, 0_u64..900), 1..6),
        ) {
            let (mut index, mut plain): (Index, Vec<CheckRecord>) = Default::default();
            for (number, (mut record, chance)) in ended.into_iter().enumerate() {
                record.job.site = SiteId::from_index(number);
                index.insert(record.clone());
                plain.push(record);
                plain.sort_by_key(|record| (record.started, record.ended));
                if chance < 100 {
                    let gone = index.pop().map(|check| check.record().clone());
                    prop_assert_eq!(gone, Some(plain.remove(0)));
                }
            }
            let mut above = Index::default();
            let mut others = flying;
            for (number, record) in others.iter_mut().enumerate() {
                record.job.site = SiteId::from_index(1_000 + number);
                above.insert(record.clone());
            }
            others.sort_by_key(|record| (record.started, record.ended));
            let who = |host: &str, tid| RanOn { host: host.into(), pid: 1, tid, thread: "t".into() };
            let roster = [who("a", rostered)];
            let known = BTreeMap::from([(("b".into(), 1, 2), who("b", 2))]);
            let parts = parts(&roster, &known, [&index, &above]);

            let all: Vec<_> = plain.iter().chain(&others).cloned().collect();
            let mut together = all.clone();
            together.sort_by_key(|record| record.started);
            let mut keys = BTreeSet::from([("a".to_owned(), rostered)]);
            for record in &all {
                let tids = record.log.slices.iter().map(|slice| slice.tid);
                let tids = tids.chain([record.ran_on.tid]).filter(|tid| *tid != 0);
                keys.extend(tids.map(|tid| (record.ran_on.host.to_string(), tid)));
            }
            let found: Vec<_> = parts.iter().map(|part| (part.host.to_string(), part.tid)).collect();
            prop_assert_eq!(found, keys.into_iter().collect::<Vec<_>>());
            for (from, length) in windows {
                let window = (at(from), at(from + length));
                let checks = index.between(window.0, window.1).map(|check| check.site.index());
                prop_assert_eq!(checks.collect::<Vec<_>>(), between(plain.iter(), window));
                for part in &parts {
                    prop_assert_eq!(part.is_present, **part.host == *"a" && part.tid == rostered);
                    let is_known = **part.host == *"b" && part.tid == 2;
                    prop_assert_eq!(part.who.is_some(), part.is_present || is_known);
                    let mine = |record: &&CheckRecord| {
                        let tids = record.log.slices.iter().map(|slice| slice.tid);
                        record.ran_on.host == *part.host
                            && tids.chain([record.ran_on.tid]).any(|tid| tid == part.tid)
                    };
                    let checks = part.by_start(window.0, window.1);
                    let found: Vec<_> = checks.iter().map(|check| check.site.index()).collect();
                    prop_assert_eq!(found, between(together.iter().filter(mine), window));
                    let mut busy = Vec::new();
                    let mut take = |what, bundle: Bundle| {
                        let shown = bundle.from <= window.1 && bundle.to >= window.0;
                        if bundle.of == 1 && shown {
                            busy.push((what, bundle.from, bundle.to));
                        }
                        bundle.of == 1
                    };
                    part.busy(window.0, window.1, |doing, bundle| {
                        take(if doing == SliceKind::Locked { 'l' } else { 'r' }, bundle)
                    });
                    part.ready(window.0, window.1, |bundle| take('w', bundle));
                    busy.sort_unstable();
                    prop_assert_eq!(busy, stretches(&all, part.host, part.tid, window));
                }
            }
            while index.pop().is_some() {}
            prop_assert_eq!(index.bytes(), 0);
            prop_assert!(index.lanes.is_empty());
        }
    }
}
