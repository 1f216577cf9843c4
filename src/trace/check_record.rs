//! The record of one check: its times, the thread that ran it, its verdict and its polls.

use std::time::Duration;

use crate::domain::{CheckResult, JobId, Moment, RanOn, Reason, SiteId, Verdict};

use super::poll_log::{PollLog, SliceKind};

/// One check from the moment it was due to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRecord {
    /// The check's site and due time.
    pub job: JobId,
    /// When a worker started it; from `job.due` to this moment it was queued.
    pub started: Moment,
    /// When its result was complete; of a check in flight, the moment of the record.
    pub ended: Moment,
    /// The thread that ran it last.
    pub ran_on: RanOn,
    /// Its polls and phases.
    pub log: PollLog,
    /// Its verdict; `None` while it is in flight.
    pub found: Option<RecordedVerdict>,
}

/// The verdict of a check and its reason, without the texts of the whole result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedVerdict {
    /// The verdict of this check alone, before confirmation.
    pub verdict: Verdict,
    /// Why it is not up; `None` for `Verdict::Up`.
    pub reason: Option<Reason>,
}

impl CheckRecord {
    /// The record of a check that ended with `result`.
    #[must_use]
    pub fn of(result: &CheckResult, log: PollLog) -> Self {
        Self {
            job: result.job,
            started: result.started,
            ended: result.started + result.latency,
            ran_on: result.ran_on.clone(),
            log,
            found: Some(RecordedVerdict {
                verdict: result.verdict,
                reason: result.reason,
            }),
        }
    }

    /// The site that was checked.
    #[must_use]
    pub const fn site(&self) -> SiteId {
        self.job.site
    }

    /// The time from its due time to its start.
    #[must_use]
    pub const fn late(&self) -> Duration {
        self.started.since(self.job.due)
    }

    /// The time from its start to its end.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.ended.since(self.started)
    }

    /// The sum of its slices of one kind.
    #[must_use]
    pub fn busy(&self, doing: SliceKind) -> Duration {
        self.log
            .slices
            .iter()
            .filter(|slice| slice.doing == doing)
            .map(|slice| slice.end.since(slice.start))
            .sum()
    }

    /// The time between being woken and being polled, while every thread was busy.
    #[must_use]
    pub fn ready(&self) -> Duration {
        let slices = self.log.slices.iter();
        slices.map(|slice| slice.start.since(slice.ready)).sum()
    }

    /// Whether the verdict is `Verdict::Down`.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.found
            .is_some_and(|found| found.verdict == Verdict::Down)
    }

    /// Its memory in bytes, the heap of its log included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.log.heap_bytes()
    }
}
