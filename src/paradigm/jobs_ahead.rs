//! The jobs that a child process has ready beside the one that it runs: it need not wait for its
//! parent between two quick checks. They wait, as those in the queue do, and are not claimed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::domain::{CheckSpec, Job, JobId};

use super::job_queue::JobQueue;

/// A child has the checks of so much time ready at most, by the time that its last one took: enough
/// while its parent waits for a processor.
const AHEAD: Duration = Duration::from_millis(40);

/// The most jobs that a child has ready.
const MOST: usize = 32;

/// The jobs that one child has ready, in its order. Dropped, they are put back into the queue.
#[derive(Debug)]
pub(super) struct JobsAhead {
    jobs: VecDeque<(Job, JobId)>,
    queue: Arc<JobQueue>,
    /// Those of all children.
    all: Arc<AtomicUsize>,
}

/// How many jobs a child has ready whose last check took `took`.
fn worth(took: Duration) -> usize {
    let worth = AHEAD.as_nanos() / took.as_nanos().max(1);
    // A check that takes a good part of the time is none of the quick ones.
    if worth < 4 {
        return 0;
    }
    usize::try_from(worth).map_or(MOST, |worth| worth.min(MOST))
}

impl JobsAhead {
    pub(super) const fn new(queue: Arc<JobQueue>, all: Arc<AtomicUsize>) -> Self {
        Self {
            jobs: VecDeque::new(),
            queue,
            all,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Gives the child more by `give`, which says whether there was room, once it has less than half
    /// of what is worth it.
    pub(super) fn fill(&mut self, took: Duration, give: impl Fn(JobId, &CheckSpec) -> bool) {
        let worth = worth(took);
        if self.jobs.len() > worth / 2 {
            return;
        }
        let mut more = self.queue.take_ahead(worth - self.jobs.len());
        while let Some(job) = more.pop_front() {
            let id = JobId {
                site: job.site,
                due: job.ticket.due(),
            };
            if !give(id, &job.spec) {
                more.push_front(job);
                break;
            }
            self.all.fetch_add(1, Ordering::Relaxed);
            self.jobs.push_back((job, id));
        }
        if !more.is_empty() {
            self.queue.put_back(more);
        }
    }

    /// The next one, which the child begins now, and by what name it was given.
    pub(super) fn next(&mut self) -> Option<(Job, JobId)> {
        let next = self.jobs.pop_front()?;
        self.all.fetch_sub(1, Ordering::Relaxed);
        Some(next)
    }

    /// Puts those back into the queue that the child does not have any more.
    pub(super) fn put_back(&mut self, is_gone: impl Fn(JobId) -> bool) {
        let mut gone = VecDeque::new();
        for (job, id) in std::mem::take(&mut self.jobs) {
            if is_gone(id) {
                gone.push_back(job);
            } else {
                self.jobs.push_back((job, id));
            }
        }
        self.all.fetch_sub(gone.len(), Ordering::Relaxed);
        if !gone.is_empty() {
            self.queue.put_back(gone);
        }
    }
}

impl Drop for JobsAhead {
    fn drop(&mut self) {
        self.put_back(|_| true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_the_checks_are_the_fewer_are_ready() {
        let worth = |micros| worth(Duration::from_micros(micros));
        assert_eq!([worth(0), worth(100), worth(400)], [32, 32, 32]);
        assert_eq!([worth(2_500), worth(10_000), worth(11_000)], [16, 4, 0]);
    }
}
