//! One check that is due, and the ticket that decides who runs it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::{CheckSpec, Moment};

/// A site's number in one run of the program. Numbers are dense and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(u32);

impl SiteId {
    /// The site at `index` of a dense table.
    ///
    /// # Panics
    /// Never: beyond 2³²-1 sites the last number stands for the rest.
    #[must_use]
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The place in a dense table.
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

/// The name of one check: a site and when it was due. Equal ids are the same check, so a
/// twin can be told from a new check and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId {
    /// The site.
    pub site: SiteId,
    /// When the check was due.
    pub due: Moment,
}

/// Who may run a job. Shared by the dispatcher, which may renew or withdraw the job while
/// it waits, and by the workers, of which one claims it. Every change is one
/// compare-and-swap, so a job is started once or not at all.
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
    /// A ticket for a job that waits.
    #[must_use]
    pub const fn new(due: Moment) -> Self {
        Self(AtomicU64::new(Self::word(due, WAITING)))
    }

    const fn word(due: Moment, state: u64) -> u64 {
        (due.as_nanos() << 2) | state
    }

    /// Takes the job to run it: the moment it was due, or `None` if it was withdrawn or
    /// taken already.
    pub fn claim(&self) -> Option<Moment> {
        self.leave_waiting(STARTED)
    }

    /// Takes the job away from the workers; `false` if one has started it.
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

    /// The job is due again and has not started: it keeps its place in the queue under
    /// the new due time. Gives the due time that was missed, or `None` if it has started.
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

    /// The due time it carries.
    #[must_use]
    pub fn due(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::Acquire) >> 2)
    }
}

/// A check to run. Cheap to clone: a clone is the same job, started once between them.
#[derive(Clone, Debug)]
pub struct Job {
    /// The site it looks at.
    pub site: SiteId,
    /// What to look at and how.
    pub spec: Arc<CheckSpec>,
    /// Who runs it.
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

    /// Takes the job to run it; `None` if somebody was faster or it was withdrawn.
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
