//! The check that was latest, and the reason: read from the trace store.

use std::time::Duration;

use crate::domain::{JobId, Moment, SiteId};

use super::store::TraceStore;

/// A check that waited for a worker after its due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The site of the late check.
    pub site: SiteId,
    /// The time from its due time to its start, or to the end of the window if it still waited.
    pub late: Duration,
    /// The time at which the check was due.
    pub began: Moment,
    /// Whether it still waited at the end of the window.
    pub waits: bool,
    /// Checks that were started while it waited.
    pub ahead: usize,
    /// The site whose check held a worker longest in that time, how long of that time, and how
    /// long its check took in all; `None` if there was no such check.
    pub culprit: Option<(SiteId, Duration, Duration)>,
    /// The reason for the wait.
    pub why: LateReason,
}

/// Why a check waited for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateReason {
    /// Every worker was busy.
    Full,
    /// The previous check of the same site was in flight, and took this long in all: a site has
    /// one check at a time.
    Itself(Duration),
    /// Workers were free: the program was slow to dispatch it.
    Program,
}

impl Lateness {
    /// The check that waited longest of those that were started, or waited, between two moments;
    /// `None` if there was none.
    #[must_use]
    pub fn worst(store: &TraceStore, from: Moment, to: Moment) -> Option<Self> {
        // A check that started after `to` still waited at that moment.
        let until = |started: Moment| started.min(to);
        let started = store
            .between(from, to)
            .filter(|check| check.started >= from)
            .max_by_key(|check| until(check.started).nanos_since(check.due))
            .map(|check| (check.job(), until(check.started), check.started > to));
        let waiting = store.waiting().first();
        let waiting = waiting
            .filter(|job| job.due < to)
            .map(|job| (*job, to, true));
        let (job, until, waits) = started
            .into_iter()
            .chain(waiting)
            .max_by_key(|(job, until, _)| until.since(job.due))?;
        Some(Self::explain(store, job, until, waits))
    }

    fn explain(store: &TraceStore, job: JobId, until: Moment, waits: bool) -> Self {
        let late = until.since(job.due);
        let middle = job.due + late / 2;
        let (mut ahead, mut held) = (0, 0);
        let mut culprit: Option<(SiteId, Duration, Duration)> = None;
        let mut itself = None;
        for other in store.between(job.due, until) {
            if other.job() == job || other.started > until {
                continue;
            }
            if other.site == job.site
                && other.started < job.due
                && other.ended.since(job.due) * 2 > late
            {
                itself = Some(other.took());
            }
            ahead += usize::from(other.started >= job.due);
            held += usize::from(other.started <= middle && other.ended >= middle);
            let overlap = other.ended.min(until).since(other.started.max(job.due));
            if culprit.is_none_or(|(_, longest, _)| overlap > longest) {
                culprit = Some((other.site, overlap, other.took()));
            }
        }
        Self {
            site: job.site,
            late,
            began: job.due,
            waits,
            ahead,
            culprit,
            why: match itself {
                Some(took) => LateReason::Itself(took),
                None if held >= store.workers_at(middle) => LateReason::Full,
                None => LateReason::Program,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RanOn;
    use crate::trace::{CheckRecord, Fetched, PollLog};

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

    fn store(workers: usize, ended: Vec<CheckRecord>) -> TraceStore {
        let mut store = TraceStore::new();
        store.set_workers(workers, at(0));
        store.absorb(Fetched { ended, dropped: 0 });
        store
    }

    #[test]
    fn the_last_of_a_queue_is_late_and_the_slowest_before_it_is_to_blame() {
        let store = store(
            1,
            vec![
                record(0, 0, 0, 200),
                record(1, 0, 200, 1_700),
                record(2, 0, 1_700, 1_800),
                record(3, 0, 1_800, 1_900),
            ],
        );
        let late = Lateness::worst(&store, at(0), at(2_000)).unwrap();
        assert_eq!(late.site, SiteId::from_index(3));
        assert_eq!(late.late, Duration::from_millis(1_800));
        assert_eq!(late.ahead, 3);
        assert_eq!(
            late.culprit,
            Some((
                SiteId::from_index(1),
                Duration::from_millis(1_500),
                Duration::from_millis(1_500)
            ))
        );
        assert!(late.why == LateReason::Full && !late.waits);
    }

    #[test]
    fn what_began_after_the_page_was_late_on_it() {
        let store = store(1, vec![record(0, 0, 0, 900), record(1, 100, 900, 950)]);
        let late = Lateness::worst(&store, at(0), at(500)).unwrap();
        assert_eq!(late.site, SiteId::from_index(1));
        assert_eq!(late.late, Duration::from_millis(400));
        assert!(late.waits);
    }

    #[test]
    fn where_workers_were_free_the_program_is_to_blame() {
        let store = store(4, vec![record(0, 0, 0, 5), record(1, 0, 400, 500)]);
        let late = Lateness::worst(&store, at(0), at(600)).unwrap();
        assert_eq!(late.late, Duration::from_millis(400));
        assert_eq!(late.why, LateReason::Program);
    }

    #[test]
    fn a_site_that_is_asked_again_while_it_is_asked_waits_for_itself() {
        let store = store(4, vec![record(1, 0, 0, 900), record(1, 500, 900, 950)]);
        let late = Lateness::worst(&store, at(100), at(1_000)).unwrap();
        assert_eq!(late.why, LateReason::Itself(Duration::from_millis(900)));
    }

    #[test]
    fn the_number_of_workers_is_that_of_the_time_and_not_of_today() {
        let mut store = store(1, vec![record(0, 0, 0, 900), record(1, 0, 900, 950)]);
        store.set_workers(16, at(2_000));
        let late = Lateness::worst(&store, at(0), at(3_000)).unwrap();
        assert_eq!(late.why, LateReason::Full);
    }

    #[test]
    fn nothing_on_record_is_nothing_late() {
        assert_eq!(Lateness::worst(&TraceStore::new(), at(0), at(9)), None);
    }
}
