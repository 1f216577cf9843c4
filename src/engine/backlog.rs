//! Work that concerns very many sites at once, and is done a part in each turn, so that keys and
//! results do not wait for all of it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::{CheckResult, Now, SiteId};
use crate::monitor::{Monitor, SiteState, State};

/// Results that are believed in one turn, of those that were held.
const RESULTS: usize = 1_000;

/// Checks that are handed out in one turn, so that keys are answered between them.
pub(super) const DISPATCH_BATCH: usize = 512;

/// Sites that are examined in one turn: as many as are handed out in one, so that what is due now
/// does not pile up.
const SITES: usize = DISPATCH_BATCH;

/// The sites that are to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rechecked {
    All,
    /// Those of which nothing could be seen.
    Unseen,
}

/// What is still to be done.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Results that are believed, and when they came.
    believed: VecDeque<(Arc<CheckResult>, Now)>,
    /// Which sites are checked again, and the place of the next one to be examined.
    rechecks: Option<(Rechecked, usize)>,
}

impl Backlog {
    /// Whether there is nothing left to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.believed.is_empty() && self.rechecks.is_none()
    }

    /// The list of sites is another one: places in the old one say nothing.
    pub(super) fn begin_again(&mut self) {
        self.rechecks = self.rechecks.map(|(which, _)| (which, 0));
    }

    /// A result is believed, behind those that were before it; gives it back where there is
    /// none.
    pub(super) fn believe(
        &mut self,
        result: Arc<CheckResult>,
        at: Now,
    ) -> Option<Arc<CheckResult>> {
        if self.believed.is_empty() {
            return Some(result);
        }
        self.believed.push_back((result, at));
        None
    }

    /// Results that were held are believed.
    pub(super) fn free(&mut self, results: Vec<(Arc<CheckResult>, Now)>) {
        self.believed.extend(results);
    }

    /// The results of this turn.
    pub(super) fn results(&mut self) -> Vec<(Arc<CheckResult>, Now)> {
        let count = self.believed.len().min(RESULTS);
        let results = self.believed.drain(..count).collect();
        if self.believed.is_empty() {
            self.believed = VecDeque::new();
        }
        results
    }

    /// Sites are to be checked again, besides those that are so already.
    pub(super) fn recheck(&mut self, which: Rechecked) {
        let all = self
            .rechecks
            .is_some_and(|(known, _)| known == Rechecked::All);
        self.rechecks = Some((if all { Rechecked::All } else { which }, 0));
    }

    /// The sites that are to be checked again in this turn.
    pub(super) fn rechecks(&mut self, monitor: &Monitor) -> Vec<SiteId> {
        let Some((which, place)) = self.rechecks.take() else {
            return Vec::new();
        };
        let ids = monitor.ids();
        let end = ids.len().min(place + SITES);
        if end < ids.len() {
            self.rechecks = Some((which, end));
        }
        let meant = |id: &SiteId| match which {
            Rechecked::All => true,
            Rechecked::Unseen => {
                let state = monitor.site(*id).map(SiteState::state);
                state == Some(State::Unknown)
            }
        };
        let ids = ids.get(place..end).unwrap_or_default();
        ids.iter().copied().filter(meant).collect()
    }
}
