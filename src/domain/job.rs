//! A job: one due check, with the ticket through which exactly one worker claims it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::{CheckSpec, Moment};

/// The number of a site in one run of the program, from 0 without gaps; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(u32);

impl SiteId {
    /// The id of the site at `index` of a table of all sites.
    ///
    /// # Panics
    /// Never: an index above 2³²-1 gives the id 2³²-1.
    #[must_use]
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The index in a table of all sites.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The identity of one check: its site and its due time. Equal ids are the same check, so a
/// duplicate is recognised and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId {
    /// The site to be checked.
    pub site: SiteId,
    /// When the check was due.
    pub due: Moment,
}

/// The right to run a job. Shared by the dispatcher, which may renew or withdraw the job while
/// it waits, and the workers, of which one claims it. Every change is one compare-and-swap,
/// so a job is started once or not at all.
///
/// The due time and the state live in one word: due nanoseconds × 4 + state. (2⁶² ns are
/// 146 years of uptime.)
#[derive(Debug)]
pub struct Ticket(AtomicU64);

const WAITING: u64 = 0;
const STARTED: u64 = 1;
const WITHDRAWN: u64 = 2;
const STATE: u64 = 3;

impl Ticket {
    /// The ticket of a job that waits and is due at `due`.
    #[must_use]
    pub const fn new(due: Moment) -> Self {
        Self(AtomicU64::new(Self::word(due, WAITING)))
    }

    const fn word(due: Moment, state: u64) -> u64 {
        (due.as_nanos() << 2) | state
    }

    /// Claims the job for the caller. Gives its due time, or `None` if it was withdrawn or
    /// claimed already.
    pub fn claim(&self) -> Option<Moment> {
        self.leave_waiting(STARTED)
    }

    /// Withdraws the job from the workers. Gives `false` if one has claimed it already.
    pub fn withdraw(&self) -> bool {
        self.leave_waiting(WITHDRAWN).is_some()
    }

    fn leave_waiting(&self, state: u64) -> Option<Moment> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                (word & STATE == WAITING).then_some(word | state)
            })
            .ok()
            .map(|word| Moment::from_nanos(word >> 2))
    }

    /// Moves a job that has not started to a new due time, in its place in the queue. Gives
    /// the due time that was missed, or `None` if it was claimed or withdrawn.
    pub fn renew(&self, due: Moment) -> Option<Moment> {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                (word & STATE == WAITING).then_some(Self::word(due, WAITING))
            })
            .ok()
            .map(|word| Moment::from_nanos(word >> 2))
    }

    /// Whether it is neither claimed nor withdrawn.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Acquire) & STATE == WAITING
    }

    /// Whether a worker has claimed it.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.0.load(Ordering::Acquire) & STATE == STARTED
    }

    /// The current due time.
    #[must_use]
    pub fn due(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::Acquire) >> 2)
    }
}

/// A check to run. A clone is the same job: only one of all clones can be claimed.
#[derive(Clone, Debug)]
pub struct Job {
    /// The site to be checked.
    pub site: SiteId,
    /// What the check asks and expects.
    pub spec: Arc<CheckSpec>,
    /// The right to run it.
    pub ticket: Arc<Ticket>,
}

impl Job {
    /// A job that waits to be started.
    #[must_use]
    pub fn new(id: JobId, spec: Arc<CheckSpec>) -> Self {
        Self {
            site: id.site,
            spec,
            ticket: Arc::new(Ticket::new(id.due)),
        }
    }

    /// Claims the job for the caller; `None` if it was claimed or withdrawn already.
    #[must_use]
    pub fn claim(&self) -> Option<JobId> {
        let due = self.ticket.claim()?;
        Some(JobId {
            site: self.site,
            due,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: Moment = Moment::from_nanos(1_000);
    const AGAIN: Moment = Moment::from_nanos(2_000);

    #[test]
    fn a_ticket_is_claimed_once() {
        let ticket = Ticket::new(DUE);
        assert_eq!(ticket.claim(), Some(DUE));
        assert_eq!(ticket.claim(), None);
        assert!(!ticket.withdraw());
        assert_eq!(ticket.renew(AGAIN), None);
        assert!(ticket.is_started());
    }

    #[test]
    fn a_withdrawn_ticket_is_never_claimed() {
        let ticket = Ticket::new(DUE);
        assert!(ticket.withdraw());
        assert_eq!(ticket.claim(), None);
        assert!(!ticket.withdraw() && !ticket.is_waiting());
    }

    #[test]
    fn a_renewed_ticket_tells_what_was_missed_and_runs_under_the_new_time() {
        let ticket = Ticket::new(DUE);
        assert_eq!(ticket.renew(AGAIN), Some(DUE));
        assert_eq!(ticket.claim(), Some(AGAIN));
    }

    #[test]
    fn of_many_threads_one_claims() {
        let ticket = Ticket::new(DUE);
        let claims = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| ticket.claim())).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().unwrap())
                .count()
        });
        assert_eq!(claims, 1);
    }
}
