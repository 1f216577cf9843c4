//! Running one job: claimed, timed, looked at, answered. The same for every paradigm.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckResult, Clock, Job};
use crate::probe::{Prober, Start, could_not_look};
use crate::trace;

use super::Context;

/// What every worker of a paradigm needs to run jobs, and the count of those that run.
#[derive(Debug)]
pub(super) struct Desk {
    clock: Arc<dyn Clock>,
    results: UnboundedSender<CheckResult>,
    running: AtomicUsize,
}

impl Desk {
    pub(super) fn new(context: &Context) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(&context.clock),
            results: context.results.clone(),
            running: AtomicUsize::new(0),
        })
    }

    /// Checks that are in flight.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Runs the job, unless somebody else has claimed it or it was withdrawn.
    pub(super) async fn run(&self, prober: &Prober, job: &Job) {
        let Some(id) = job.claim() else { return };
        let _counted = Counted::new(&self.running);
        let now = self.clock.now();
        let start = Start {
            job: id,
            moment: now.mono,
            at: now.wall,
        };
        let check = AssertUnwindSafe(prober.check(start, &job.look, trace::here)).catch_unwind();
        let result = check.await.unwrap_or_else(|_panic| {
            // The panic hook has logged it; the site must not pay for it.
            could_not_look(
                start,
                &job.look,
                "the check broke off in a fault of this program",
                trace::here(),
            )
        });
        // Nobody listens any more when the program is on its way out.
        let _unheard = self.results.send(result);
    }
}

/// Counts a check in flight for as long as it lives, a cancelled one included.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(running: &'a AtomicUsize) -> Self {
        running.fetch_add(1, Ordering::Relaxed);
        Self(running)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
