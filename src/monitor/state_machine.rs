//! The state machine of all sites: outcomes in, notices out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    Acknowledgement, FailureStreak, Now, Outcome, SeenTime, Site, SiteId, Timestamp, Verdict,
};

use super::latency::{LatencyWindow, Worst};
use super::site::Transition;
use super::{SiteState, State};

/// Latencies that the summary's quantiles rest on.
const WINDOW: usize = 8_192;

/// A consequence of an outcome that is carried out elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Consequence {
    /// The site is to be checked again before its interval ends.
    CheckAgain {
        /// The site.
        site: SiteId,
        /// The time to that check.
        after: Duration,
    },
    /// An outage was confirmed.
    Down {
        /// The site.
        site: SiteId,
    },
    /// An outage ended.
    Recovered {
        /// The site.
        site: SiteId,
        /// From the first failure to the first good check of the streak that ended it.
        lasted: Duration,
        /// That first good check.
        until: Timestamp,
    },
    /// A site that was up is slow now, or its certificate is about to end.
    Degraded {
        /// The site.
        site: SiteId,
    },
    /// What stands against a site is another thing now, and has to be kept. Comes after
    /// [`Consequence::Down`] and [`Consequence::Recovered`], which it belongs to.
    Stands {
        /// The site.
        site: SiteId,
    },
}

/// The number of sites in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals([usize; State::ALL.len()]);

impl Totals {
    /// The number of sites in `state`.
    #[must_use]
    pub const fn of(&self, state: State) -> usize {
        self.0[state as usize]
    }

    /// The number of all sites.
    #[must_use]
    pub fn all(&self) -> usize {
        self.0.iter().sum()
    }
}

/// The state of every site.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// By [`SiteId`]; `None` for a site that left the configuration.
    slots: Vec<Option<SiteState>>,
    by_name: HashMap<Box<str>, SiteId>,
    /// Sites that left the configuration, with their URLs as they are sent.
    former: HashMap<Box<str>, (Box<str>, SiteId)>,
    /// In the order of the configuration.
    order: Vec<SiteId>,
    totals: Totals,
    latencies: LatencyWindow,
    late: Worst,
    missed: u64,
    checks: u64,
    /// Sites that have missed two checks or more in a row.
    stalled: usize,
    /// Sites that fail, and of which no outage is confirmed.
    suspects: BTreeSet<SiteId>,
    revision: u64,
}

impl Monitor {
    /// A monitor of no sites.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: Vec::new(),
            by_name: HashMap::new(),
            former: HashMap::new(),
            order: Vec::new(),
            totals: Totals::default(),
            latencies: LatencyWindow::new(WINDOW),
            late: Worst::default(),
            missed: 0,
            checks: 0,
            stalled: 0,
            suspects: BTreeSet::new(),
            revision: 0,
        }
    }

    /// Takes over a configuration: sites are known by name, so those that stay keep their
    /// history and their streak; those that went are forgotten. Another URL is another
    /// site: it gets a number of its own, so that no late result of the old one reaches it. A
    /// site that comes back has its former number and nothing else.
    pub fn configure(&mut self, sites: Vec<Site>, now: Now) {
        let mut left = std::mem::take(&mut self.by_name);
        self.order.clear();
        for site in sites {
            let site = Arc::new(site);
            let same_url = |id: &SiteId| {
                let known = self.slots[id.index()].as_ref();
                known.is_some_and(|known| known.site().spec.url == site.spec.url)
            };
            let known = left.get(&site.name).copied().filter(same_url);
            let url = site.spec.url.expose();
            let former = self.former.remove(&site.name);
            let former = former.filter(|(known, _)| known.as_ref() == url);
            let id = if let Some(id) = known {
                left.remove(&site.name);
                id
            } else if let Some((_, id)) = former {
                // Messages may still wait to tell of it: they are in order by its number.
                id
            } else {
                self.slots.push(None);
                SiteId::from_index(self.slots.len() - 1)
            };
            match &mut self.slots[id.index()] {
                Some(state) => state.configure(Arc::clone(&site), now),
                slot @ None => *slot = Some(SiteState::new(id, Arc::clone(&site), now)),
            }
            self.by_name.insert(site.name.clone(), id);
            self.order.push(id);
        }
        for (name, id) in left {
            if let Some(state) = self.slots[id.index()].take() {
                let url = state.site().spec.url.expose().into();
                self.former.insert(name, (url, id));
            }
        }
        self.totals = Totals::default();
        self.stalled = self
            .slots
            .iter()
            .flatten()
            .filter(|state| state.is_stalled())
            .count();
        self.suspects.clear();
        for state in self.slots.iter().flatten() {
            self.totals.0[state.state() as usize] += 1;
            if state.state() == State::Suspect {
                self.suspects.insert(state.id());
            }
        }
        self.revision += 1;
    }

    /// Pauses or resumes a site; gives `false` for one that is not there.
    pub fn set_paused(&mut self, id: SiteId, paused: bool, now: Now) -> bool {
        self.with(id, |state| {
            let mut site = Site::clone(state.site());
            site.paused = paused;
            state.configure(Arc::new(site), now);
        })
        .is_some()
    }

    /// Changes a site and keeps the totals true.
    fn with<T>(&mut self, id: SiteId, change: impl FnOnce(&mut SiteState) -> T) -> Option<T> {
        let state = self.slots.get_mut(id.index())?.as_mut()?;
        let before = state.state();
        self.totals.0[before as usize] -= 1;
        self.stalled -= usize::from(state.is_stalled());
        let value = change(state);
        let after = state.state();
        if after == State::Suspect {
            self.suspects.insert(id);
        } else if before == State::Suspect {
            self.suspects.remove(&id);
        }
        self.totals.0[after as usize] += 1;
        self.stalled += usize::from(state.is_stalled());
        self.revision += 1;
        Some(value)
    }

    /// Accounts the time of a site up to now: it is in planned maintenance from now on, until
    /// then, or in none. `from` of `maintenance` is when it began, where that is known.
    pub fn maintain(
        &mut self,
        id: SiteId,
        maintenance: Option<(Option<Timestamp>, Timestamp)>,
        now: Now,
    ) {
        if let Some(state) = self.slots.get_mut(id.index()).and_then(Option::as_mut) {
            state.account_maintenance(maintenance, now);
        }
    }

    /// The time of a site that was seen since this was asked last, up to when it was accounted:
    /// by [`Self::maintain`], or any change of its state.
    pub fn take_seen(&mut self, id: SiteId) -> SeenTime {
        let state = self.slots.get_mut(id.index()).and_then(Option::as_mut);
        state.map_or_else(SeenTime::default, SiteState::take_seen)
    }

    /// Folds one outcome in. Outcomes of sites that are gone are dropped.
    pub fn observe(&mut self, outcome: &Outcome, now: Now, notices: &mut Vec<Consequence>) {
        let result = match outcome {
            Outcome::Missed(job) => {
                if self.with(job.site, |state| state.miss(now)).is_some() {
                    self.missed += 1;
                }
                return;
            }
            Outcome::Checked(result) => result,
        };
        let id = result.job.site;
        if self.site(id).is_some_and(|state| state.site().paused) {
            // The check was under way when the site was paused: its result is not wanted.
            return;
        }
        let folded = self.with(id, |state| {
            let mark = state.mark();
            let turn = state.observe(Arc::clone(result), now);
            let doubtful = state.state() == State::Suspect || state.good() > 0;
            let stands = turn.is_some_and(Transition::is_kept) || state.mark() != mark;
            (turn, doubtful.then_some(state.site().confirm_delay), stands)
        });
        let Some((turn, again, stands)) = folded else {
            return;
        };
        self.checks += 1;
        self.late.push(result.late, now.mono);
        if matches!(result.verdict, Verdict::Up | Verdict::Degraded) {
            self.latencies.push(result.latency);
        }
        notices.extend(again.map(|after| Consequence::CheckAgain { site: id, after }));
        notices.extend(turn.map(|turn| match turn {
            Transition::Opened => Consequence::Down { site: id },
            Transition::Recovered { lasted, until } => Consequence::Recovered {
                site: id,
                lasted,
                until,
            },
            Transition::Degraded => Consequence::Degraded { site: id },
        }));
        if stands {
            notices.push(Consequence::Stands { site: id });
        }
    }

    /// The site of this name, if its URL is this one, as it may be shown: under another one it
    /// is another site.
    #[must_use]
    pub fn known(&self, name: &str, url: &str) -> Option<SiteId> {
        let id = *self.by_name.get(name)?;
        let state = self.site(id)?;
        (state.site().spec.url.shown() == url).then_some(id)
    }

    /// Gives a site back its failures when an earlier run ended, whose last result of it came
    /// at `last_result`. No message is sent again.
    pub fn restore_site(
        &mut self,
        id: SiteId,
        streak: FailureStreak,
        last_result: Option<Timestamp>,
        now: Now,
    ) {
        let _gone = self.with(id, |state| state.restore(streak, last_result, now));
    }

    /// How many sites have missed two checks or more in a row.
    #[must_use]
    pub const fn stalled(&self) -> usize {
        self.stalled
    }

    /// Nothing could be seen since `since`: failures that were not confirmed, and that
    /// `doubtful` does not take for the site's own, are forgotten. Gives the sites of which that
    /// has to be kept.
    pub fn doubt(
        &mut self,
        since: Now,
        doubtful: impl Fn(&SiteState) -> bool,
        now: Now,
    ) -> Vec<SiteId> {
        let mut suspects: Vec<SiteId> = self.suspects.iter().copied().collect();
        suspects.retain(|id| {
            self.site(*id).is_some_and(&doubtful)
                && self.with(*id, |state| state.doubt(since, now)) == Some(true)
        });
        suspects
    }

    /// Sets or removes the acknowledgement of an outage; gives `false` if none is open.
    pub fn acknowledge(&mut self, id: SiteId, by: Option<Acknowledgement>) -> bool {
        self.with(id, |state| state.acknowledge(by)) == Some(true)
    }

    /// A site by its number.
    #[must_use]
    pub fn site(&self, id: SiteId) -> Option<&SiteState> {
        self.slots.get(id.index())?.as_ref()
    }

    /// A site by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&SiteState> {
        self.site(*self.by_name.get(name)?)
    }

    /// All sites in the order of the configuration.
    pub fn sites(&self) -> impl Iterator<Item = &SiteState> {
        self.order.iter().filter_map(|id| self.site(*id))
    }

    /// The numbers of all sites in the order of the configuration.
    #[must_use]
    pub fn ids(&self) -> &[SiteId] {
        &self.order
    }

    /// The number of sites in each state.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The latency below which `share` (0 to 1) of the recent good checks lie; `None` without
    /// any.
    #[must_use]
    pub fn latency(&self, share: f64) -> Option<Duration> {
        self.latencies.quantile(share)
    }

    /// How late the latest start of the last half minute to minute was.
    #[must_use]
    pub fn worst_late(&self) -> Duration {
        self.late.worst()
    }

    /// Checks missed since start.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Checks with a result since the start of the program.
    #[must_use]
    pub const fn checks(&self) -> u64 {
        self.checks
    }

    /// Grows with every change: an unchanged number needs no new frame.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}
