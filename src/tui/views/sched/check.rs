//! A check on the page: what most passes over ten thousand of them ask, side by side.

use std::ops::Deref;

use crate::domain::Moment;
use crate::trace::Record;

/// A record, and the moments of it that decide where it stands. Records with their notes are
/// four megabytes a page, these fit in a core's own cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check<'a> {
    /// When a worker took it.
    pub(crate) started: Moment,
    /// When it ended, or now.
    pub(crate) ended: Moment,
    /// When it was due.
    pub(super) due: Moment,
    pub(super) is: Is,
    pub(crate) record: &'a Record,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    InFlight,
    Failed,
    Fine,
}

impl<'a> From<&'a Record> for Check<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            started: record.started,
            ended: record.ended,
            due: record.job.due,
            is: match record.found {
                None => Is::InFlight,
                Some(_) if record.failed() => Is::Failed,
                Some(_) => Is::Fine,
            },
            record,
        }
    }
}

impl Deref for Check<'_> {
    type Target = Record;

    fn deref(&self) -> &Record {
        self.record
    }
}
