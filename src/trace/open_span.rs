//! The open slice of a check: written without a lock by the thread that runs it, read by the
//! one that draws.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::domain::Moment;

use super::identity::tid;
use super::poll_log::{Slice, SliceKind};

/// The slice that has no end yet. Written by one thread; another that reads it at the same
/// moment may see fields of two slices.
#[derive(Debug, Default)]
pub(super) struct OpenSpan {
    ready: AtomicU64,
    /// In nanoseconds; 0 if no slice is open.
    start: AtomicU64,
    tid: AtomicU32,
}

impl OpenSpan {
    pub(super) fn begin(&self, ready: Moment, start: Moment) {
        self.ready.store(ready.as_nanos(), Ordering::Relaxed);
        self.tid.store(tid(), Ordering::Relaxed);
        self.start.store(start.as_nanos().max(1), Ordering::Release);
    }

    /// The slice as it would be if it ended at `end`.
    pub(super) fn slice(&self, end: Moment) -> Option<Slice> {
        let start = Moment::from_nanos(self.start.load(Ordering::Acquire));
        (start > Moment::ZERO).then(|| Slice {
            ready: Moment::from_nanos(self.ready.load(Ordering::Relaxed)).min(start),
            start,
            end: end.max(start),
            tid: self.tid.load(Ordering::Relaxed),
            doing: SliceKind::Running,
        })
    }

    pub(super) fn end(&self, end: Moment) -> Option<Slice> {
        let slice = self.slice(end);
        self.start.store(0, Ordering::Relaxed);
        slice
    }
}
