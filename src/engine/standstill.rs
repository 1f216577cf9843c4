//! Whether the whole program stood still: suspended, asleep with its machine, or starved.

use std::time::Duration;

use crate::domain::{CheckResult, Moment, Now, Reason, Verdict};

/// A gap between two inputs that says that the whole program stood still.
const STANDSTILL: Duration = Duration::from_secs(3);

/// The last input, and the end of the last standstill.
#[derive(Debug)]
pub(super) struct Standstill {
    last_input: Now,
    until: Option<Moment>,
}

impl Standstill {
    pub(super) const fn new(now: Now) -> Self {
        Self {
            last_input: now,
            until: None,
        }
    }

    /// Takes the time of an input; gives how long the program stood still before it.
    pub(super) fn observe(&mut self, now: Now) -> Option<Duration> {
        // The wall clock alone goes on while the machine sleeps.
        let gap = now.mono.since(self.last_input.mono);
        let gap = gap.max(now.wall.since(self.last_input.wall));
        self.last_input = now;
        if gap <= STANDSTILL {
            return None;
        }
        self.until = Some(now.mono);
        Some(gap)
    }

    /// Nothing stood still up to `now`.
    pub(super) const fn went_on(&mut self, now: Now) {
        self.last_input = now;
    }

    /// A check that failed during a standstill says nothing of the site: nobody was there to
    /// hear its answer.
    pub(super) fn doubt(&self, result: &mut CheckResult) {
        let stood_still = self.until.is_some_and(|end| result.started < end);
        if stood_still && result.failed() {
            result.verdict = Verdict::Unknown;
            result.reason = Some(Reason::Internal);
            result.error = Some("could not check: this program stood still meanwhile".into());
        }
    }
}
