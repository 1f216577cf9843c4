//! The trace store: the checks of the last minutes, those in flight, and those that wait.
//!
//! Bounded in bytes: the oldest records make room for new ones and are counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{JobId, Moment, RanOn, SiteId};

use super::check_record::CheckRecord;
use super::check_summary::CheckSummary;
use super::identity::here;
use super::index::{Index, ThreadKey, ThreadTrace, by_start, parts};
use super::instrumented::InFlightCheck;
use super::poll_log::SliceKind;
use super::recorder::{Fetched, Recorder};

/// The most memory of records and index, in bytes: some 55,000 checks.
const MOST_BYTES: usize = 32 << 20;

/// The greatest age of a record: without it, a list that is rarely checked would grow for days.
const MOST_AGE: Duration = Duration::from_secs(15 * 60);

/// Threads whose names are remembered.
const MOST_THREADS: usize = 4_096;

/// The number of last checks over which means are taken.
const SAMPLE: usize = 512;

/// Changes of the number of workers that are remembered.
const MOST_STAFFINGS: usize = 256;

/// Sweeps that are remembered.
const MOST_SWEEPS: usize = 8;

/// The checks on record. Its owner updates it; the screens read it.
#[derive(Clone, Debug, Default)]
pub struct TraceStore {
    ended: Index,
    forgotten: u64,
    dropped: u64,
    /// As of the moment `now`.
    in_flight: Index,
    /// Checks that are due and wait for a worker, in the order of their due times.
    waiting: Vec<JobId>,
    roster: Vec<RanOn>,
    threads: BTreeMap<ThreadKey, RanOn>,
    now: Moment,
    sample: VecDeque<(Duration, Duration)>,
    /// Numbers of workers, each with the moment since which it holds.
    staffing: VecDeque<(Moment, usize)>,
    sweeps: VecDeque<Sweep>,
    /// The due time of the newest sweep, and how many of its checks have not ended.
    swept: Option<(Moment, usize)>,
    /// The last switch of the paradigm; `None` if there was none.
    switched: Option<Moment>,
}

/// The checks that were due at the same moment: the first sweep, or one that a key starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The due time that all of them share.
    pub due: Moment,
    /// Checks that have ended.
    pub checks: usize,
    /// The end of the last one so far.
    pub ended: Moment,
    /// The site of the check that took longest from its start, and that time.
    pub slowest: (SiteId, Duration),
    /// The time of the second longest; zero while only one has ended.
    pub second: Duration,
    /// Checks that have not ended.
    pub open: usize,
    /// The sum of the times from start to end.
    pub sum: Duration,
}

/// Mean times over the last checks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanTimes {
    /// From start to end of a check.
    pub hold: Duration,
    /// In which a thread ran the check.
    pub run: Duration,
}

impl TraceStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the fetched records.
    pub fn absorb(&mut self, fetched: Fetched) {
        self.dropped = fetched.dropped;
        for record in fetched.ended {
            self.note(record);
        }
    }

    fn note(&mut self, record: CheckRecord) {
        if self.sample.len() == SAMPLE {
            self.sample.pop_front();
        }
        self.sample
            .push_back((record.took(), record.busy(SliceKind::Running)));
        self.count(&record);
        self.know(&record.ran_on);
        let horizon = record.ended - MOST_AGE;
        self.ended.insert(record);
        while self
            .ended
            .first()
            .is_some_and(|oldest| self.ended.bytes() > MOST_BYTES || oldest.ended < horizon)
            && self.ended.pop().is_some()
        {
            self.forgotten += 1;
        }
    }

    /// Counts the record towards the sweep of its due time.
    fn count(&mut self, record: &CheckRecord) {
        let due = record.job.due;
        let took = record.took();
        if let Some(sweep) = self.sweeps.iter_mut().find(|sweep| sweep.due == due) {
            sweep.checks += 1;
            sweep.ended = sweep.ended.max(record.ended);
            sweep.sum += took;
            if took > sweep.slowest.1 {
                sweep.second = sweep.slowest.1;
                sweep.slowest = (record.site(), took);
            } else {
                sweep.second = sweep.second.max(took);
            }
            return;
        }
        if self.sweeps.len() == MOST_SWEEPS {
            // A sweep of many is worth more than a check that was due alone.
            let least = self.sweeps.iter().enumerate();
            let least = least.min_by_key(|(_, sweep)| (sweep.checks, sweep.due));
            if let Some((place, _)) = least {
                self.sweeps.remove(place);
            }
        }
        self.sweeps.push_back(Sweep {
            due,
            checks: 1,
            ended: record.ended,
            slowest: (record.site(), took),
            second: Duration::ZERO,
            open: 0,
            sum: took,
        });
    }

    fn know(&mut self, who: &RanOn) {
        if self.threads.len() >= MOST_THREADS {
            self.threads.clear();
        }
        let key = (Arc::clone(&who.host), who.pid, who.tid);
        if self.threads.get(&key).is_none_or(|known| known != who) {
            self.threads.insert(key, who.clone());
        }
    }

    /// Replaces the checks in flight and those that wait by their state as of `now`. `sites` is
    /// the length of the list: half of it, due at once, is a sweep.
    pub fn update(&mut self, recorder: &Recorder, waiting: Vec<JobId>, sites: usize, now: Moment) {
        self.roster = recorder.roster();
        for who in self.roster.clone() {
            self.know(&who);
        }
        let snapshots = recorder.in_flight(now).into_iter();
        self.replace_in_flight(
            snapshots
                .map(|snapshot| self.record_of(snapshot, now))
                .collect(),
        );
        self.waiting = waiting;
        // A check that a remote worker holds and has not started is still waiting.
        self.waiting.extend(recorder.received());
        self.waiting.sort_by_key(|job| job.due);
        self.now = now;
        self.find_sweep(sites);
    }

    /// Replaces the checks in flight by these, as of `now`: for screens under test.
    #[cfg(test)]
    pub(crate) fn set_in_flight(
        &mut self,
        in_flight: impl Iterator<Item = CheckRecord>,
        now: Moment,
    ) {
        let mut in_flight: Vec<_> = in_flight.collect();
        for record in &mut in_flight {
            record.ended = now;
            record.found = None;
            record.log.slices.retain(|slice| slice.end <= now);
        }
        self.replace_in_flight(in_flight);
        self.now = now;
        if let Some((due, open)) = &mut self.swept {
            let flying = self.in_flight.iter().map(|check| check.due);
            let waiting = self.waiting.iter().map(|job| job.due);
            *open = flying.chain(waiting).filter(|other| other == due).count();
        }
    }

    /// Replaces the checks in flight.
    fn replace_in_flight(&mut self, mut in_flight: Vec<CheckRecord>) {
        in_flight.sort_by_key(|record| (record.started, record.job));
        self.in_flight = Index::default();
        for record in in_flight {
            self.in_flight.insert(record);
        }
    }

    /// The newest moment at which at least half of the sites were due at once.
    fn find_sweep(&mut self, sites: usize) {
        let mut open: BTreeMap<Moment, usize> = BTreeMap::new();
        let flying = self.in_flight.iter().map(|check| check.due);
        for due in flying.chain(self.waiting.iter().map(|job| job.due)) {
            *open.entry(due).or_default() += 1;
        }
        let ended = |due| self.sweeps.iter().find(|sweep| sweep.due == due);
        let enough = |checks: usize| checks >= 2 && checks * 2 >= sites;
        let begun = open
            .iter()
            .filter(|(due, open)| enough(**open + ended(**due).map_or(0, |sweep| sweep.checks)))
            .map(|(due, open)| (*due, *open));
        let over = self
            .sweeps
            .iter()
            .filter(|sweep| enough(sweep.checks))
            .map(|sweep| (sweep.due, open.get(&sweep.due).copied().unwrap_or(0)));
        self.swept = begun
            .chain(over)
            .chain(self.swept)
            .max_by_key(|(due, open)| (*due, *open));
        if let Some((due, left)) = &mut self.swept {
            *left = open.get(due).copied().unwrap_or(0);
        }
    }

    fn record_of(&self, snapshot: InFlightCheck, now: Moment) -> CheckRecord {
        let tid = snapshot.log.slices.last().map(|slice| slice.tid);
        let pid = std::process::id();
        let known = tid.and_then(|tid| self.threads.get(&(here().host, pid, tid)).cloned());
        let ran_on = snapshot.remote_worker.or(known).unwrap_or_else(|| RanOn {
            host: "".into(),
            pid,
            tid: tid.unwrap_or_default(),
            thread: "".into(),
        });
        CheckRecord {
            job: snapshot.job,
            started: snapshot.started,
            ended: now.max(snapshot.started),
            ran_on,
            log: snapshot.log,
            found: None,
        }
    }

    /// Records the number of workers since `now`.
    pub fn set_workers(&mut self, workers: usize, now: Moment) {
        if self
            .staffing
            .back()
            .is_some_and(|(_, known)| *known == workers)
        {
            return;
        }
        if self.staffing.len() == MOST_STAFFINGS {
            self.staffing.pop_front();
        }
        self.staffing.push_back((now, workers));
    }

    /// The number of workers at a moment; before the first known moment, the first known number,
    /// and 0 if none is known.
    #[must_use]
    pub fn workers_at(&self, at: Moment) -> usize {
        let after = self.staffing.partition_point(|(since, _)| *since <= at);
        let known = self.staffing.get(after.saturating_sub(1));
        known.map_or(0, |(_, workers)| *workers)
    }

    /// Records a switch of the paradigm: the means start anew.
    pub fn switched(&mut self, now: Moment) {
        self.sample.clear();
        self.switched = Some(now);
    }

    /// Whether a check that was due at `due` was due under the paradigm in use.
    #[must_use]
    pub fn is_of_now(&self, due: Moment) -> bool {
        self.switched.is_none_or(|switched| due >= switched)
    }

    /// The moment of the last update.
    #[must_use]
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// The checks that were due or in flight between two moments: those that have ended in the
    /// order of their starts, then those in flight in theirs.
    pub fn between(&self, from: Moment, to: Moment) -> impl Iterator<Item = &CheckSummary> {
        let in_flight = self.in_flight.between(from, to);
        self.ended.between(from, to).chain(in_flight)
    }

    /// The same checks, all in the order of their starts.
    #[must_use]
    pub fn by_start(&self, from: Moment, to: Moment) -> Vec<&CheckSummary> {
        by_start([&self.ended, &self.in_flight], from, to)
    }

    /// The threads that may run checks now and those that ran any on record, in the order of
    /// host, process and thread id.
    #[must_use]
    pub fn thread_traces(&self) -> Vec<ThreadTrace<'_>> {
        parts(&self.roster, &self.threads, [&self.ended, &self.in_flight])
    }

    /// The checks in flight, in the order of their starts.
    pub fn running(&self) -> impl Iterator<Item = &CheckRecord> {
        self.in_flight.iter().map(CheckSummary::record)
    }

    /// The checks that wait for a worker, in the order of their due times.
    #[must_use]
    pub fn waiting(&self) -> &[JobId] {
        &self.waiting
    }

    /// The threads that may run checks now.
    #[must_use]
    pub fn roster(&self) -> &[RanOn] {
        &self.roster
    }

    /// All remembered threads that have run checks or may run them.
    pub fn threads(&self) -> impl Iterator<Item = &RanOn> {
        self.threads.values()
    }

    /// The checks that have ended, in the order of their starts.
    pub fn all(&self) -> impl Iterator<Item = &CheckRecord> {
        self.ended.iter().map(CheckSummary::record)
    }

    /// The due time of the oldest check that has ended; `None` if there is none.
    #[must_use]
    pub fn oldest(&self) -> Option<Moment> {
        self.ended.first().map(|check| check.due)
    }

    /// Checks that have ended and are not on record: those removed for newer ones, and those
    /// dropped because they were not fetched in time.
    #[must_use]
    pub const fn lost(&self) -> (u64, u64) {
        (self.forgotten, self.dropped)
    }

    /// The due time of the newest sweep over at least half of the sites; `None` if there was none.
    #[must_use]
    pub fn sweep_due(&self) -> Option<Moment> {
        self.swept.map(|(due, _)| due)
    }

    /// The newest sweep over at least half of the sites; `None` until one of its checks has ended.
    #[must_use]
    pub fn sweep(&self) -> Option<Sweep> {
        let (due, open) = self.swept?;
        let sweep = self.sweeps.iter().find(|sweep| sweep.due == due)?;
        Some(Sweep { open, ..*sweep })
    }

    /// Means over the last 512 checks of the paradigm in use; `None` before the third.
    #[must_use]
    pub fn means(&self) -> Option<MeanTimes> {
        const LEAST: usize = 3;
        let checks = u32::try_from(self.sample.len()).ok()?;
        if self.sample.len() < LEAST {
            return None;
        }
        Some(MeanTimes {
            hold: self.sample.iter().map(|(hold, _)| *hold).sum::<Duration>() / checks,
            run: self.sample.iter().map(|(_, run)| *run).sum::<Duration>() / checks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::poll_log::PollLog;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    fn record(site: usize, due: u64, started: u64, ended: u64) -> CheckRecord {
        CheckRecord {
            job: JobId {
                site: SiteId::from_index(site),
                due: at(due),
            },
            started: at(started),
            ended: at(ended),
            ran_on: RanOn {
                host: "h".into(),
                pid: 1,
                tid: 1,
                thread: "t".into(),
            },
            log: PollLog::default(),
            found: None,
        }
    }

    fn store(records: Vec<CheckRecord>) -> TraceStore {
        let mut store = TraceStore::new();
        store.absorb(Fetched {
            ended: records,
            dropped: 0,
        });
        store
    }

    #[test]
    fn a_window_holds_what_was_due_or_in_flight_in_it_whatever_the_order_of_arrival() {
        let store = store(vec![
            record(1, 0, 0, 100),
            record(2, 0, 10, 300),
            record(3, 0, 0, 200),
            record(4, 400, 400, 500),
        ]);
        let starts: Vec<_> = store.all().map(|record| record.started).collect();
        assert!(starts.is_sorted());
        let sites = |from, to| -> Vec<usize> {
            let between = store.between(at(from), at(to));
            between.map(|check| check.site.index()).collect()
        };
        assert_eq!(sites(150, 350), [3, 2]);
        assert_eq!(sites(0, 50), [1, 3, 2]);
        assert_eq!(sites(450, 460), [4]);
        assert_eq!(sites(600, 700), [0; 0]);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let many = MOST_BYTES / size_of::<CheckRecord>() + 1_000;
        let records = (0..many as u64).map(|n| record(0, n, n, n)).collect();
        let store = store(records);
        assert!(store.ended.bytes() <= MOST_BYTES);
        let (forgotten, dropped) = store.lost();
        assert_eq!(forgotten as usize + store.all().count(), many);
        assert_eq!(dropped, 0);
        assert_eq!(store.oldest(), Some(at(forgotten)));
    }

    #[test]
    fn a_record_goes_back_a_quarter_of_an_hour_and_no_further() {
        let minute = 60_000;
        let records = (0..60).map(|n| record(0, n * minute, n * minute, n * minute));
        let store = store(records.collect());
        assert_eq!(store.oldest(), Some(at(44 * minute)));
        assert_eq!(store.lost().0, 44);
    }

    #[test]
    fn checks_that_were_due_at_once_are_a_sweep() {
        let mut records: Vec<_> = (0..16)
            .map(|site| record(site, 1_000, 1_000, 1_100 + site as u64 * 10))
            .collect();
        records.extend((0..20).map(|n| record(1, 2_000 + n, 2_000 + n, 2_010 + n)));
        let mut store = store(records);
        let waiting = vec![record(17, 1_000, 0, 0).job; 2];
        store.update(&Recorder::new(), waiting, 20, at(3_000));
        let sweep = store.sweep().unwrap();
        assert_eq!((sweep.due, sweep.checks, sweep.open), (at(1_000), 16, 2));
        assert_eq!(sweep.ended, at(1_250));
        assert_eq!(sweep.slowest.0, SiteId::from_index(15));
        assert_eq!(sweep.second, Duration::from_millis(240));
        let waiting = vec![record(17, 2_500, 0, 0).job; 10];
        store.update(&Recorder::new(), waiting, 20, at(3_000));
        assert_eq!(store.sweep_due(), Some(at(2_500)), "it has begun");
        assert_eq!(store.sweep(), None, "and none of it has ended");
    }

    #[test]
    fn means_are_of_the_paradigm_in_use() {
        let mut store = store((0..4).map(|n| record(0, n, n, n + 20)).collect());
        assert_eq!(store.means().unwrap().hold, Duration::from_millis(20));
        store.switched(Moment::ZERO);
        assert_eq!(store.means(), None);
    }
}
