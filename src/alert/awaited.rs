//! Outages of which owners are not told until there is news of another site: the parent that
//! is down, or that is being checked. They are examined when there is some, a part of them in
//! each turn, and not over and over until then.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_set};

use crate::domain::SiteId;

/// What an outage waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The end of the outage of a site, or of its failures.
    Recovery,
    /// Any check of a site.
    Check,
}

/// The outages that wait for a site.
#[derive(Debug, Default)]
struct Waiting {
    for_recovery: BTreeSet<SiteId>,
    for_check: BTreeSet<SiteId>,
}

/// The outages that wait for other sites.
#[derive(Debug, Default)]
pub(super) struct AwaitedSites {
    by_site: BTreeMap<SiteId, Waiting>,
    /// Outages for which there was news, in the order of the news.
    woken: VecDeque<btree_set::IntoIter<SiteId>>,
}

impl AwaitedSites {
    /// The outage of `site` waits for `other`.
    pub(super) fn add(&mut self, other: SiteId, site: SiteId, awaited: Awaited) {
        let waiting = self.by_site.entry(other).or_default();
        match awaited {
            Awaited::Recovery => waiting.for_recovery.insert(site),
            Awaited::Check => waiting.for_check.insert(site),
        };
    }

    /// The outage of `site` waits for `other` no longer.
    pub(super) fn remove(&mut self, other: SiteId, site: SiteId) {
        if let Some(waiting) = self.by_site.get_mut(&other) {
            waiting.for_recovery.remove(&site);
            waiting.for_check.remove(&site);
            if waiting.for_recovery.is_empty() && waiting.for_check.is_empty() {
                self.by_site.remove(&other);
            }
        }
    }

    /// `other` was checked, or is not checked any more; `fails` says whether it is down, or may
    /// be.
    pub(super) fn news(&mut self, other: SiteId, fails: bool) {
        let Some(waiting) = self.by_site.get_mut(&other) else {
            return;
        };
        self.woken
            .push_back(std::mem::take(&mut waiting.for_check).into_iter());
        if !fails {
            let recovery = std::mem::take(&mut waiting.for_recovery);
            self.woken.push_back(recovery.into_iter());
            self.by_site.remove(&other);
        }
    }

    /// These have to be examined, whatever they wait for.
    pub(super) fn wake(&mut self, sites: BTreeSet<SiteId>) {
        self.woken.push_back(sites.into_iter());
    }

    /// The next outage to be examined.
    pub(super) fn next(&mut self) -> Option<SiteId> {
        loop {
            match self.woken.front_mut()?.next() {
                Some(site) => return Some(site),
                None => self.woken.pop_front(),
            };
        }
    }

    /// Whether there is none to be examined.
    pub(super) fn is_idle(&self) -> bool {
        self.woken.iter().all(|sites| sites.len() == 0)
    }
}
