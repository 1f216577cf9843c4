//! Whether checks are run at all: a pool without workers, or one that is far too small, makes
//! no site fail and is seen by nobody unless it is said.

use std::time::Duration;

use crate::domain::{Moment, Now};

/// How long checks are missed before that is told.
const TOLD_AFTER: Duration = Duration::from_secs(30);

/// A change of whether checks are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnwatchedChange {
    /// Checks are not run since then.
    Lost(Now),
    /// They are run again; they were not since then.
    Regained(Now),
}

/// Whether checks are run.
#[derive(Debug, Default)]
pub(super) struct UnwatchedRule {
    /// When most sites began to miss their checks.
    since: Option<Now>,
    told: bool,
    /// A check came to a result since that was told.
    has_result: bool,
}

impl UnwatchedRule {
    /// Goes on with what an earlier run told.
    pub(super) fn restore(&mut self, since: Now) {
        (self.since, self.told) = (Some(since), true);
    }

    /// A check came to a result. Without one nothing says that checks are run again: sites that
    /// are new, as all are after a restart, have missed none yet.
    pub(super) fn observe_result(&mut self) {
        self.has_result = true;
    }

    /// Since when checks are not run, once that was told.
    pub(super) fn lost(&self) -> Option<Now> {
        self.since.filter(|_| self.told)
    }

    /// Takes how many of the `planned` sites have missed two checks or more in a row.
    pub(super) fn observe(
        &mut self,
        stalled: usize,
        planned: usize,
        now: Now,
    ) -> Option<UnwatchedChange> {
        if stalled == 0 || stalled * 2 < planned {
            if self.told && !self.has_result {
                return None;
            }
            let since = self.since.take()?;
            return std::mem::take(&mut self.told).then_some(UnwatchedChange::Regained(since));
        }
        let since = *self.since.get_or_insert(now);
        if self.told || now.mono.since(since.mono) < TOLD_AFTER {
            return None;
        }
        (self.told, self.has_result) = (true, false);
        Some(UnwatchedChange::Lost(since))
    }

    /// When it has to be asked again, if nothing happens before.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        let since = self.since.filter(|_| !self.told)?;
        Some(since.mono + TOLD_AFTER)
    }
}
