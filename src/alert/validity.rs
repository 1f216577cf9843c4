//! Whether an event is still so when it is about to be sent.

use std::time::Duration;

use crate::domain::{EventKind, Now};
use crate::monitor::{Monitor, State};

use super::delivery::{Pending, Validity};

/// A check that is older says too little of a site to send that it is down.
const FRESH: Duration = Duration::from_secs(60);

/// Whether an event may still be told.
pub(super) fn validity(event: &Pending, monitor: &Monitor, now: Now) -> Validity {
    let about_outage = matches!(
        event.kind,
        EventKind::Down | EventKind::Reminder | EventKind::Escalated
    );
    if !about_outage && event.kind != EventKind::Slow {
        return Validity::Holds;
    }
    // A site that is not in the configuration any more is of no interest.
    let Some(state) = event.site.and_then(|site| monitor.site(site)) else {
        return Validity::Over;
    };
    if state.site().paused {
        return Validity::InDoubt;
    }
    if event.kind == EventKind::Slow {
        let slow = state.state() == State::Degraded;
        return if slow {
            Validity::Holds
        } else {
            Validity::Over
        };
    }
    let Some(outage) = state.outage() else {
        return Validity::Over;
    };
    if Some(outage.since().wall) != event.outage {
        return Validity::Over;
    }
    // What presses for an acknowledgement is over with one.
    if event.kind != EventKind::Down && outage.acknowledged.is_some() {
        return Validity::Over;
    }
    if state.good() > 0 {
        return Validity::InDoubt;
    }
    let last = state.last_failure();
    let fresh = last.is_some_and(|last| now.mono.since(last.started) <= FRESH + last.latency);
    if fresh {
        Validity::Holds
    } else {
        Validity::Stale
    }
}
