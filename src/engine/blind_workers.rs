//! Workers on other machines that can see nothing, or cannot check: they ask canaries of their own,
//! and say of each check that it was none. While no other answer comes the monitor is as blind as
//! they are.

use crate::domain::{CheckResult, Now, Verdict};

use super::connectivity::ConnectivityChange;
use super::input::SHORTEST_BLINDNESS;

/// Whether all that workers on other machines say is that they could not check.
#[derive(Debug, Default)]
pub(super) struct BlindWorkers {
    /// Since the first such result, and what it said, while none other came.
    since: Option<(Now, Box<str>)>,
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

    /// Takes a result of a site on `host`; `own` is the name of the monitor's machine, whose
    /// checks the monitor judges itself.
    pub(super) fn observe(
        &mut self,
        result: &CheckResult,
        (host, own): (&str, &str),
        now: Now,
    ) -> Option<ConnectivityChange> {
        if result.verdict != Verdict::Unknown {
            if self.since.is_none() || result.is_local(host) {
                return None;
            }
            let was_blind = std::mem::take(&mut self.is_blind);
            let (since, why) = self.since.take().filter(|_| was_blind)?;
            let lasted = now.mono.since(since.mono);
            return Some(ConnectivityChange::Regained { since, lasted, why });
        }
        if *result.ran_on.host == *own {
            return None;
        }
        let error = result.error.as_deref().unwrap_or("no reason was given");
        let (since, why) = self.since.get_or_insert_with(|| (now, error.into()));
        if self.is_blind || now.mono.since(since.mono) < SHORTEST_BLINDNESS {
            return None;
        }
        self.is_blind = true;
        Some(ConnectivityChange::Lost {
            since: *since,
            why: why.clone(),
        })
    }
}
