//! Which sites are asked whether anything can be seen, or whether an outage is theirs; and
//! where an answer came from.

use std::collections::HashSet;

use crate::domain::{CheckResult, SiteId};
use crate::monitor::{Monitor, SiteState, State};

/// What is known of the site of a check.
#[derive(Clone, Copy, Debug)]
pub struct CheckFacts<'a> {
    /// The host, or the address that was asked: sites that share it fail together.
    pub host: &'a str,
    /// It is on this machine, or was checked from another one.
    pub believed: bool,
    /// The foreign host that a redirect led to.
    pub landed: Option<&'a str>,
    /// The check would confirm an outage, if it failed.
    pub opens: bool,
    /// An outage of it is open already.
    pub open: bool,
}

/// Sites that are asked at once.
const MOST: usize = 3;

/// Good sites that are considered, of a long list.
const CONSIDERED: usize = 4_096;

/// Places of the list that are gone through in a round while the monitor is blind, and most sites are
/// unknown.
const PLACES_WHILE_BLIND: usize = 20_000;

/// The search for witnesses since something was seen last.
#[derive(Debug, Default)]
pub(super) struct WitnessSearch {
    /// Those that were asked: each is asked once.
    asked: HashSet<SiteId>,
    /// The place of the list from which on the next ones are looked for.
    next: usize,
}

impl WitnessSearch {
    /// Sites that were good when they were checked last, on other machines than this, of as many
    /// hosts as possible; those that were good latest come first. Those of `failing` have failed
    /// since. While the monitor `is_blind`, a part of the list is gone through.
    pub(super) fn find(
        &mut self,
        monitor: &Monitor,
        failing: impl Iterator<Item = SiteId>,
        is_blind: bool,
    ) -> Vec<SiteId> {
        let failing: HashSet<SiteId> = failing.collect();
        let good = |state: &&SiteState| {
            matches!(state.state(), State::Up | State::Degraded)
                && !failing.contains(&state.id())
                && !self.asked.contains(&state.id())
                && state.last().is_some_and(|last| !is_local(state, last))
        };
        let all = monitor.ids();
        let places = if is_blind {
            let begin = if self.next < all.len() { self.next } else { 0 };
            begin..all.len().min(begin + PLACES_WHILE_BLIND)
        } else {
            0..all.len()
        };
        let ids = all.get(places.clone()).unwrap_or_default().iter();
        let sites = ids.filter_map(|id| monitor.site(*id));
        let mut candidates: Vec<&SiteState> = sites.filter(good).take(CONSIDERED).collect();
        candidates.sort_by_key(|state| {
            let started = state.last().map(|last| last.started);
            std::cmp::Reverse(started)
        });
        let mut hosts = HashSet::new();
        // Those of a host that is asked already come last: they may still answer where it does not.
        let (mut chosen, others): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .partition(|state| hosts.insert(state.site().spec.url.host()));
        chosen.extend(others);
        chosen.truncate(MOST);
        let chosen: Vec<SiteId> = chosen.into_iter().map(SiteState::id).collect();
        self.asked.extend(&chosen);
        if is_blind {
            self.next = places.end;
        }
        chosen
    }
}

/// Whether a site is on this machine: no network lies between.
pub(super) fn is_local(state: &SiteState, result: &CheckResult) -> bool {
    result.is_local(state.site().spec.url.host())
}

/// The foreign host that the redirects of a check led to; `None` while it stayed with its
/// own, or one of the same domain.
#[must_use]
pub fn landed(result: &CheckResult, host: &str) -> Option<Box<str>> {
    let last = result
        .requests
        .last()
        .filter(|_| result.requests.len() > 1)?;
    let url = crate::domain::MaskedUrl::new(&*last.url);
    let end = url.host();
    (domain_of(end) != domain_of(host)).then(|| end.into())
}

/// The last two labels of a name; an address as it is.
fn domain_of(host: &str) -> &str {
    if host.starts_with('[')
        || host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return host;
    }
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    dots.nth(1).map_or(host, |at| &host[at + 1..])
}

/// The sites that a site depends on, as far as they are checked and not down.
pub(super) fn parents(monitor: &Monitor, site: SiteId) -> Vec<SiteId> {
    let parent = |state: &SiteState| {
        let parent = state.site().parent.as_deref()?;
        monitor.find(parent)
    };
    // The configuration has no circles.
    let first = monitor.site(site).and_then(parent);
    std::iter::successors(first, |state| parent(state))
        .filter(|state| state.outage().is_none() && !state.site().paused)
        .map(SiteState::id)
        .collect()
}

/// What is known of the site of a check, which is on `host`, and of which redirects led to
/// `landed`; `own` is the name of this machine.
pub(super) fn facts<'a>(
    state: &SiteState,
    result: &CheckResult,
    (host, landed): (&'a str, Option<&'a str>),
    own: &str,
) -> CheckFacts<'a> {
    CheckFacts {
        host,
        believed: *result.ran_on.host != *own || result.is_local(host),
        landed,
        opens: state.failures() + 1 >= state.site().confirm,
        open: state.outage().is_some(),
    }
}
