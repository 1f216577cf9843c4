//! A check on record in short: the fields that a pass over ten thousand of them reads, side by
//! side in memory.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{JobId, Moment, SiteId};

use super::check_record::CheckRecord;
use super::timeline::Timed;

/// A record and its fields that decide where it is drawn. Ten thousand records with their logs
/// are megabytes; ten thousand of these fit in a core's own cache.
#[derive(Clone, Debug)]
pub struct CheckSummary {
    /// When a worker started it.
    pub started: Moment,
    /// When it ended; of a check in flight, the moment of the record.
    pub ended: Moment,
    /// The time at which the check was due.
    pub due: Moment,
    /// The site that is checked.
    pub site: SiteId,
    /// The operating system's id of the thread that ran it last; 0 if none has.
    pub tid: u32,
    /// Whether it is in flight, and whether it failed.
    pub progress: CheckProgress,
    /// Whether all of its slices are of that one thread.
    pub is_of_one_thread: bool,
    record: Arc<CheckRecord>,
}

/// Whether a check is in flight, and whether it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckProgress {
    /// The check has not ended.
    InFlight,
    /// It has ended with `Verdict::Down`.
    Failed,
    /// It has ended with any other verdict.
    Fine,
}

impl CheckSummary {
    pub(super) fn of(record: CheckRecord) -> Self {
        Self {
            started: record.started,
            ended: record.ended,
            due: record.job.due,
            site: record.job.site,
            tid: record.ran_on.tid,
            is_of_one_thread: record.ran_on.tid != 0
                && record
                    .log
                    .slices
                    .iter()
                    .all(|slice| slice.tid == record.ran_on.tid),
            progress: match record.found {
                None => CheckProgress::InFlight,
                Some(_) if record.failed() => CheckProgress::Failed,
                Some(_) => CheckProgress::Fine,
            },
            record: Arc::new(record),
        }
    }

    /// The whole record. It lies elsewhere in memory, so it is not to be read for ten thousand
    /// checks a frame.
    #[must_use]
    pub fn record(&self) -> &CheckRecord {
        &self.record
    }

    /// The check's site and due time.
    #[must_use]
    pub const fn job(&self) -> JobId {
        JobId {
            site: self.site,
            due: self.due,
        }
    }

    /// The time from its due time to its start.
    #[must_use]
    pub const fn late(&self) -> Duration {
        self.started.since(self.due)
    }

    /// The time from its start to its end.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.ended.since(self.started)
    }

    /// Whether both share one record in memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record)
    }

    /// The memory of its record, in bytes.
    pub(super) fn record_bytes(&self) -> usize {
        /// The two reference counts of an `Arc`.
        const COUNTS: usize = 2 * size_of::<usize>();
        self.record.bytes() + COUNTS
    }
}

impl Timed for CheckSummary {
    fn key(&self) -> (Moment, Moment) {
        (self.started, self.ended)
    }

    fn first(&self) -> Moment {
        self.due
    }
}
