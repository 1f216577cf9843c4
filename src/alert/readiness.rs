//! Whether an event can be sent now: what it says has to be so, by a check that is new, or by an
//! older one where none comes within a minute.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::{Moment, Now, SiteId};

use super::delivery::{Pending, Validity};

/// How long a message waits for the check that confirms it, before it goes all the same.
const STALE_CHECK_WAIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// The event can be sent now.
    Ready,
    /// It waits: for the end of quiet hours, for a check, or for a decision.
    Waits,
    /// What it says is not so any more: it is dropped.
    Over,
}

/// Examines the events of one queue.
pub(super) struct Examiner<'a> {
    pub(super) now: Now,
    /// Whether an event is still so.
    pub(super) validity: &'a mut dyn FnMut(&Pending) -> Validity,
    /// Sites whose check was asked for, and when.
    pub(super) asked: &'a mut HashMap<SiteId, Moment>,
    /// Sites to be checked.
    pub(super) checks: &'a mut Vec<SiteId>,
}

impl Examiner<'_> {
    pub(super) fn examine(&mut self, event: &Pending) -> Readiness {
        let now = self.now;
        if event.quiet_until.is_some_and(|until| until > now.wall) {
            return Readiness::Waits;
        }
        match ((self.validity)(event), event.site) {
            (Validity::Holds, _) | (Validity::Stale, None) => Readiness::Ready,
            (Validity::InDoubt, _) => Readiness::Waits,
            (Validity::Over, _) => Readiness::Over,
            (Validity::Stale, Some(site)) => {
                let checks = &mut *self.checks;
                let asked = *self.asked.entry(site).or_insert_with(|| {
                    checks.push(site);
                    now.mono
                });
                if now.mono.since(asked) < STALE_CHECK_WAIT {
                    Readiness::Waits
                } else {
                    Readiness::Ready
                }
            }
        }
    }
}
