//! A check on record in short: what passes over ten thousand of them ask, side by side.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{JobId, Moment, SiteId};

use super::check_record::CheckRecord;
use super::timeline::Timed;

/// A record, and the part of it that decides where it stands. Records with their notes are
/// megabytes a page; of these, ten thousand fit in a core's own cache.
#[derive(Clone, Debug)]
pub struct CheckSummary {
    /// When a worker took it.
    pub started: Moment,
    /// When it ended; for one in flight, now.
    pub ended: Moment,
    /// When it was due.
    pub due: Moment,
    /// Which site it looks at.
    pub site: SiteId,
    /// The thread that ran it last.
    pub tid: u32,
    /// How far it is.
    pub progress: CheckProgress,
    /// Whether that thread alone had a part in it.
    pub is_of_one_thread: bool,
    record: Arc<CheckRecord>,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckProgress {
    /// It has not ended.
    InFlight,
    /// It found the site down.
    Failed,
    /// It ended, and did not.
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

    /// All that is on record of it. This lies elsewhere in memory: not for ten thousand checks
    /// a frame.
    #[must_use]
    pub fn record(&self) -> &CheckRecord {
        &self.record
    }

    /// Which check.
    #[must_use]
    pub const fn job(&self) -> JobId {
        JobId {
            site: self.site,
            due: self.due,
        }
    }

    /// How long it waited for a worker.
    #[must_use]
    pub const fn late(&self) -> Duration {
        self.started.since(self.due)
    }

    /// How long it took, from its start.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.ended.since(self.started)
    }

    /// Whether this is the very same record.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record)
    }

    /// The memory that its record takes, in bytes.
    pub(super) fn record_bytes(&self) -> usize {
        /// Beside the record stand the numbers of those who know it.
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
