//! Replays the stored checks under other rules: which outages these would have confirmed, when,
//! and how many messages that would have taken.
//!
//! There is no second state machine: each set of rules has a [`Monitor`] of its own, which gets
//! the checks one by one with their times. The times of the checks stay as they were, and a
//! longer timeout does not bring back a response that was cut off.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, MonitorSettings};
use crate::domain::{
    Cause, CheckResult, CheckSpec, JobId, MaskedUrl, Method, Moment, Now, Outcome, Phases, RanOn,
    Reason, Site, SiteId, Timestamp, Verdict,
};
use crate::history::{RawCheck, SiteKey};
use crate::monitor::{Consequence, Monitor, ReplayTotals, RuleOverrides, SiteState};

use super::outage_diff::{OutageDiff, SeenOutage, matched};

/// A set of rules and the monitor that applies it.
#[derive(Debug)]
struct Actor {
    rules: RuleOverrides,
    monitor: Monitor,
    notices: Vec<Consequence>,
    account: ReplayTotals,
    /// The outages of each site, by its place; the last one may be open.
    outages: Vec<Vec<SeenOutage>>,
    /// The causes of the same outages; empty unless [`Replay::with_causes`] asked for them.
    causes: Vec<Vec<Vec<Cause>>>,
}

/// A replay of stored checks, under the configured rules and under others.
#[derive(Debug)]
pub struct Replay {
    keys: Vec<SiteKey>,
    owners: Vec<u64>,
    /// The place of each site, by its id in the file.
    places: HashMap<i64, usize>,
    actors: [Actor; 2],
    ran_on: RanOn,
    first: Option<Timestamp>,
    last: Timestamp,
    checks: u64,
    cut_off: u64,
}

impl Replay {
    /// A replay of the sites of a history file under the configured rules and under `rules`. Sites
    /// that are configured no more get the defaults of `[monitor]`.
    #[must_use]
    pub fn new(
        sites: HashMap<i64, SiteKey>,
        config: Option<&Config>,
        rules: RuleOverrides,
    ) -> Self {
        let configured = config.iter().flat_map(|config| &config.sites);
        let defaults =
            config.map_or_else(MonitorSettings::default, |config| config.monitor.clone());
        Self::among(sites, configured, &defaults, rules)
    }

    /// The same with the sites that are `configured`, and `defaults` for the others.
    pub(super) fn among<'a>(
        sites: HashMap<i64, SiteKey>,
        configured: impl Iterator<Item = &'a Site>,
        defaults: &MonitorSettings,
        rules: RuleOverrides,
    ) -> Self {
        let configured: HashMap<SiteKey, &Site> =
            configured.map(|site| (SiteKey::from(site), site)).collect();
        let mut sites: Vec<(i64, SiteKey)> = sites.into_iter().collect();
        sites.sort_unstable_by_key(|(id, _)| *id);
        let mut replayed = Vec::with_capacity(sites.len());
        for (place, (_, key)) in sites.iter().enumerate() {
            let mut site = configured
                .get(key)
                .map_or_else(|| former(key, defaults), |site| Site::clone(site));
            // Names in the file need not be unique.
            site.name = place.to_string().into();
            site.paused = false;
            replayed.push(site);
        }
        let owners = replayed.iter().map(|site| site.owners.len().max(1) as u64);
        let owners = owners.collect();
        let actor = |rules| Actor::new(replayed.clone(), rules);
        Self {
            owners,
            places: sites
                .iter()
                .enumerate()
                .map(|(place, (id, _))| (*id, place))
                .collect(),
            keys: sites.into_iter().map(|(_, key)| key).collect(),
            actors: [actor(RuleOverrides::default()), actor(rules)],
            ran_on: RanOn {
                host: "".into(),
                pid: 0,
                tid: 0,
                thread: "".into(),
            },
            first: None,
            last: Timestamp::default(),
            checks: 0,
            cut_off: 0,
        }
    }

    /// Keeps the causes of the outages under the configured rules as well.
    #[must_use]
    pub fn with_causes(mut self) -> Self {
        self.actors[0].causes = vec![Vec::new(); self.keys.len()];
        self
    }

    /// Takes one stored check of the site with this id in the file. Checks have to come in the order
    /// of time.
    pub fn add(&mut self, site: i64, at: Timestamp, check: RawCheck) {
        let Some(place) = self.places.get(&site).copied() else {
            return;
        };
        let first = *self.first.get_or_insert(at);
        self.last = at;
        self.checks += 1;
        let passed = u64::try_from(at.as_micros() - first.as_micros()).unwrap_or(0);
        let now = Now {
            mono: Moment::from_nanos(passed.saturating_mul(1_000)),
            wall: at,
        };
        let other = &self.actors[1];
        let reason = other.rules.judge(check.reason, check.latency);
        let longer = |timeout: &Duration| *timeout > check.latency;
        if check.reason == Some(Reason::Timeout) && other.rules.timeout.as_ref().is_some_and(longer)
        {
            self.cut_off += 1;
        }
        let outcome = self.outcome(place, check, check.reason, now);
        self.actors[0].observe(place, &outcome, now, self.owners[place]);
        if reason == check.reason {
            self.actors[1].observe(place, &outcome, now, self.owners[place]);
        } else {
            let outcome = self.outcome(place, check, reason, now);
            self.actors[1].observe(place, &outcome, now, self.owners[place]);
        }
    }

    fn outcome(&self, place: usize, check: RawCheck, reason: Option<Reason>, now: Now) -> Outcome {
        Outcome::Checked(Arc::new(CheckResult {
            job: JobId {
                site: SiteId::from_index(place),
                due: now.mono,
            },
            verdict: reason.map_or(Verdict::Up, Reason::verdict),
            reason,
            error: None,
            status: check.status,
            started_at: now.wall,
            started: now.mono,
            latency: check.latency,
            late: check.late,
            phases: Phases::default(),
            method: Method::Head,
            attempts: 1,
            redirects: 0,
            certificate: None,
            requests: Vec::new(),
            ran_on: self.ran_on.clone(),
        }))
    }

    /// The number of checks that were added.
    #[must_use]
    pub const fn checks(&self) -> u64 {
        self.checks
    }

    /// The times of the first and the last check; `None` without any.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.first?, self.last))
    }

    /// The number of timeouts that came sooner than the other rules' timeout. They count as timeouts
    /// under those too, whatever the response would have been.
    #[must_use]
    pub const fn cut_off(&self) -> u64 {
        self.cut_off
    }

    /// The counts of outages and messages under the configured rules, and under the others.
    #[must_use]
    pub fn accounts(&self) -> [ReplayTotals; 2] {
        [self.actors[0].account, self.actors[1].account]
    }

    /// The sites under the configured rules.
    pub(super) fn watched(&self) -> impl Iterator<Item = &Site> {
        self.actors[0].monitor.sites().map(|state| &**state.site())
    }

    /// The id of each site in the file, with its place in this replay.
    pub fn sites(&self) -> impl Iterator<Item = (i64, usize)> {
        self.places.iter().map(|(id, place)| (*id, *place))
    }

    /// The outages of the site at `place` under the configured rules, with their causes if
    /// [`Replay::with_causes`] asked for them.
    pub fn outages(&self, place: usize) -> impl Iterator<Item = (SeenOutage, &[Cause])> {
        let actor = &self.actors[0];
        let causes = actor.causes.get(place).map_or(&[][..], Vec::as_slice);
        let outages = actor.outages.get(place).map_or(&[][..], Vec::as_slice);
        let causes = causes.iter().map(Vec::as_slice);
        let causes = causes.chain(std::iter::repeat(&[][..]));
        outages.iter().copied().zip(causes)
    }

    /// Every outage with its counterpart, by the time of the first failure. An outage under the
    /// configured rules and one under the others are the same if they overlap.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&SiteKey, OutageDiff)> {
        let mut pairs = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            let (now, other) = (
                &self.actors[0].outages[place],
                &self.actors[1].outages[place],
            );
            pairs.extend(matched(now, other).into_iter().map(|pair| (key, pair)));
        }
        pairs.sort_by_key(|(_, pair)| pair.now.or(pair.other).map(|seen| seen.since));
        pairs
    }
}

/// A site that is configured no more, with the defaults of `[monitor]`.
fn former(key: &SiteKey, defaults: &MonitorSettings) -> Site {
    Site {
        name: key.name.clone(),
        spec: Arc::new(CheckSpec {
            timeout: defaults.timeout,
            slow: defaults.slow,
            cert_warn: defaults.cert_warn,
            max_redirects: 0,
            user_agent: Arc::clone(&defaults.user_agent),
            ..CheckSpec::new(MaskedUrl::new(&*key.url))
        }),
        interval: defaults.interval,
        confirm: defaults.confirm,
        recover: defaults.recover,
        confirm_delay: defaults.confirm_delay,
        slow_after: defaults.slow_after,
        owners: Arc::default(),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}

impl RuleOverrides {
    /// The reason that a check stored with this `reason` has under these rules; `None` is up.
    fn judge(&self, reason: Option<Reason>, latency: Duration) -> Option<Reason> {
        if reason == Some(Reason::Internal) {
            return reason;
        }
        if self.timeout.is_some_and(|timeout| latency > timeout) {
            return Some(Reason::Timeout);
        }
        match (reason, self.slow) {
            (None, Some(slow)) if latency > slow => Some(Reason::Slow),
            (Some(Reason::Slow), Some(slow)) if latency <= slow => None,
            (reason, _) => reason,
        }
    }
}

impl Actor {
    fn new(mut sites: Vec<Site>, rules: RuleOverrides) -> Self {
        for site in &mut sites {
            site.confirm = rules.confirm.unwrap_or(site.confirm).max(1);
            site.recover = rules.recover.unwrap_or(site.recover).max(1);
        }
        let outages = vec![Vec::new(); sites.len()];
        let mut monitor = Monitor::new();
        monitor.configure(sites, Now::default());
        Self {
            rules,
            monitor,
            notices: Vec::new(),
            account: ReplayTotals::default(),
            outages,
            causes: Vec::new(),
        }
    }

    fn observe(&mut self, place: usize, outcome: &Outcome, now: Now, owners: u64) {
        self.monitor.observe(outcome, now, &mut self.notices);
        for notice in self.notices.drain(..) {
            match notice {
                Consequence::Down { site } => {
                    self.account.outages += 1;
                    self.account.messages += owners;
                    let outage = self.monitor.site(site).and_then(SiteState::outage);
                    self.outages[place].push(SeenOutage {
                        since: outage.map_or(now.wall, |outage| outage.since().wall),
                        confirmed: now.wall,
                        ended: None,
                    });
                    if let (Some(causes), Some(outage)) = (self.causes.get_mut(place), outage) {
                        causes.push(outage.causes().to_vec());
                    }
                }
                Consequence::Recovered { site, until, .. } => {
                    self.account.messages += owners;
                    let ended = self.monitor.site(site).and_then(SiteState::last_outage);
                    let causes = self.causes.get_mut(place).and_then(|all| all.last_mut());
                    if let (Some(causes), Some(ended)) = (causes, ended) {
                        *causes = ended.causes().to_vec();
                    }
                    if let Some(last) = self.outages[place].last_mut() {
                        last.ended = Some(until);
                    }
                }
                Consequence::Degraded { .. } => self.account.degraded += 1,
                Consequence::CheckAgain { .. } | Consequence::Stands { .. } => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_judged_anew_by_what_is_known_of_it() {
        let rules = RuleOverrides {
            timeout: Some(Duration::from_secs(5)),
            slow: Some(Duration::from_secs(1)),
            ..RuleOverrides::default()
        };
        let seconds = Duration::from_secs;
        for (reason, latency, expected) in [
            (None, seconds(6), Some(Reason::Timeout)),
            (Some(Reason::Status), seconds(6), Some(Reason::Timeout)),
            (None, seconds(2), Some(Reason::Slow)),
            (Some(Reason::Slow), seconds(1), None),
            (Some(Reason::Internal), seconds(9), Some(Reason::Internal)),
            (Some(Reason::Refused), seconds(0), Some(Reason::Refused)),
            (
                Some(Reason::Certificate),
                seconds(2),
                Some(Reason::Certificate),
            ),
        ] {
            assert_eq!(
                rules.judge(reason, latency),
                expected,
                "{reason:?} {latency:?}"
            );
        }
        assert_eq!(
            RuleOverrides::default().judge(Some(Reason::Slow), seconds(9)),
            Some(Reason::Slow)
        );
    }
}
