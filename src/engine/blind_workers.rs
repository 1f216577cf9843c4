//! Workers on other machines that can see nothing, or cannot check: they ask canaries of their own,
//! and say of each check that it was none. While none of them sees anything the monitor is as blind
//! as they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{CheckResult, Moment, Now, Verdict};

use super::connectivity::ConnectivityChange;
use super::input::SHORTEST_BLINDNESS;

/// A worker that has seen a site counts as one that sees for so many intervals, unless it says
/// otherwise: chance may give all checks to another.
const INTERVALS: u32 = 2;

/// And for no less: a blind worker holds each of its checks for as long as it asks its canaries.
const LEAST: Duration = Duration::from_secs(30);

/// What workers on other machines say of their checks.
#[derive(Debug, Default)]
pub(super) struct BlindWorkers {
    /// Since the first check that could not be run, and what was said of it, while none could.
    since: Option<(Now, Box<str>)>,
    /// The workers that could see at their last check, by machine and process, and when that was.
    seeing: BTreeMap<(Arc<str>, u32), Moment>,
    /// When a check of the monitor's own machine saw a site: another paradigm ran it.
    seen_here: Option<Moment>,
    is_blind: bool,
}

impl BlindWorkers {
    /// Goes on with the blindness that an earlier run has told of.
    pub(super) fn restore(&mut self, since: Now, why: &str) {
        (self.since, self.is_blind) = (Some((since, why.into())), true);
    }

    /// Since when they can see nothing, and what that rests on.
    pub(super) fn blind(&self) -> Option<(Now, &str)> {
        let (since, why) = self.since.as_ref().filter(|_| self.is_blind)?;
        Some((*since, why))
    }

    /// Takes a result of a site on `host` that is checked each `interval`; `own` is the name of the
    /// monitor's machine, whose checks the monitor judges itself.
    pub(super) fn observe(
        &mut self,
        result: &CheckResult,
        (host, own): (&str, &str),
        interval: Duration,
        now: Now,
    ) -> Option<ConnectivityChange> {
        let ran_on = &result.ran_on;
        let is_elsewhere = *ran_on.host != *own;
        let worker = || (Arc::clone(&ran_on.host), ran_on.pid);
        if !is_elsewhere && result.is_doubtful() {
            // Whether that is the site's failure or our own is not decided yet.
            return None;
        }
        if result.verdict != Verdict::Unknown {
            if !is_elsewhere {
                self.seen_here = Some(now.mono);
            } else if !result.is_local(host) {
                self.seeing.insert(worker(), now.mono);
            }
            if self.since.is_none() || result.is_local(host) {
                return None;
            }
            let was_blind = std::mem::take(&mut self.is_blind);
            let (since, why) = self.since.take().filter(|_| was_blind)?;
            let lasted = now.mono.since(since.mono);
            return Some(ConnectivityChange::Regained { since, lasted, why });
        }
        if !is_elsewhere {
            return None;
        }
        self.seeing.remove(&worker());
        let recent = (interval * INTERVALS).max(LEAST);
        let is_recent = |seen: &Moment| now.mono.since(*seen) <= recent;
        self.seeing.retain(|_, seen| is_recent(seen));
        let error = result.error.as_deref().unwrap_or("no reason was given");
        let (since, why) = self.since.get_or_insert_with(|| (now, error.into()));
        let is_new = now.mono.since(since.mono) < SHORTEST_BLINDNESS;
        let others_see = !self.seeing.is_empty() || self.seen_here.as_ref().is_some_and(is_recent);
        if self.is_blind || is_new || others_see {
            return None;
        }
        self.is_blind = true;
        Some(ConnectivityChange::Lost {
            since: *since,
            why: why.clone(),
        })
    }
}
