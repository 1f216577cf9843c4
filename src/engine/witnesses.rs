//! Which sites are asked whether anything can be seen, where the canaries are silent.

use std::collections::HashSet;

use crate::domain::{CheckResult, SiteId};
use crate::monitor::{Monitor, SiteState, State};

/// Sites that are asked at once.
const MOST: usize = 3;

/// Sites that are considered, of a long list.
const CONSIDERED: usize = 4_096;

/// Sites that were good when they were checked last, on other machines than this, each of
/// another host; those that were good latest come first.
pub(super) fn witnesses(monitor: &Monitor) -> Vec<SiteId> {
    let good = |state: &&SiteState| {
        matches!(state.state(), State::Up | State::Degraded)
            && state.last().is_some_and(|last| !is_local(state, last))
    };
    let mut candidates: Vec<&SiteState> = monitor.sites().filter(good).take(CONSIDERED).collect();
    candidates.sort_by_key(|state| {
        let started = state.last().map(|last| last.started);
        std::cmp::Reverse(started)
    });
    let mut hosts = HashSet::new();
    candidates.retain(|state| hosts.insert(state.site().spec.url.host()));
    candidates.truncate(MOST);
    candidates.into_iter().map(SiteState::id).collect()
}

/// Whether a site is on this machine: no network lies between.
pub(super) fn is_local(state: &SiteState, result: &CheckResult) -> bool {
    let url = &state.site().spec.url;
    let host = url.host();
    result.asked(url).map_or(
        host == "localhost" || host.ends_with(".localhost"),
        |address| address.is_loopback(),
    )
}
