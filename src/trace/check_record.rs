//! The record of one check that has ended: when, by whom, with what result, and all that was
//! noted on the way.

use std::time::Duration;

use crate::domain::{CheckResult, JobId, Moment, RanOn, Reason, SiteId, Verdict};

use super::poll_log::{PollLog, SliceKind};

/// One check from when it was due to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRecord {
    /// Which check.
    pub job: JobId,
    /// When a worker took it; from when it was due to this it waited in the queue.
    pub started: Moment,
    /// When its result was there; for one in flight, now.
    pub ended: Moment,
    /// Who ran it last.
    pub ran_on: RanOn,
    /// Every poll, and what it waited for.
    pub log: PollLog,
    /// What it found; `None` while it is in flight.
    pub found: Option<RecordedVerdict>,
}

/// What a check found, as far as a picture needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedVerdict {
    /// The verdict of this look.
    pub verdict: Verdict,
    /// Why it is not simply up.
    pub reason: Option<Reason>,
}

impl CheckRecord {
    /// The record of a check that gave `result`.
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

    /// Which site it looked at.
    #[must_use]
    pub const fn site(&self) -> SiteId {
        self.job.site
    }

    /// How long it waited for a worker.
    #[must_use]
    pub const fn late(&self) -> Duration {
        self.started.since(self.job.due)
    }

    /// How long it took, from its start.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.ended.since(self.started)
    }

    /// The time that threads were busy with it in this way.
    #[must_use]
    pub fn busy(&self, doing: SliceKind) -> Duration {
        self.log
            .slices
            .iter()
            .filter(|slice| slice.doing == doing)
            .map(|slice| slice.end.since(slice.start))
            .sum()
    }

    /// The time in which it could have gone on and no thread was free.
    #[must_use]
    pub fn ready(&self) -> Duration {
        let slices = self.log.slices.iter();
        slices.map(|slice| slice.start.since(slice.ready)).sum()
    }

    /// Whether it found the site down.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.found
            .is_some_and(|found| found.verdict == Verdict::Down)
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.log.heap_bytes()
    }
}
