//! Runs one job: claims it, times it, runs the check, delivers the result. The same for every
//! paradigm.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckObserver, CheckResult, CheckSpec, Clock, Job, JobId, SystemClock};
use crate::probe::{Prober, Start, could_not_check};
use crate::trace::{self, InstrumentedCheck, OpenRecord, Recorder, ThreadPresence, ThreadSharing};

use super::ParadigmContext;

/// Runs jobs for all workers of a paradigm, and counts those that run.
#[derive(Debug)]
pub(super) struct JobRunner {
    clock: SystemClock,
    results: UnboundedSender<CheckResult>,
    recorder: Arc<Recorder>,
    running: AtomicUsize,
}

impl JobRunner {
    pub(super) fn new(context: &ParadigmContext) -> Arc<Self> {
        Arc::new(Self {
            clock: context.clock,
            results: context.results.clone(),
            recorder: Arc::clone(&context.recorder),
            running: AtomicUsize::new(0),
        })
    }

    /// Registers the calling thread as one that may run checks, until the guard is dropped.
    pub(super) fn enter(&self) -> ThreadPresence {
        self.recorder.enter(trace::here())
    }

    /// The recorder of the trace.
    pub(super) const fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Checks that are in flight.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Runs the job, unless another worker has claimed it or it was withdrawn.
    pub(super) async fn run(&self, prober: &Prober, job: &Job, thread: ThreadSharing) {
        let Some(claimed) = self.claim(job) else {
            return;
        };
        let start = claimed.start();
        let watched = claimed.watch(start);
        let live = watched.as_ref().map(OpenRecord::live);
        let result = run_check(prober, start, &job.spec, live.map(|live| (live, thread))).await;
        claimed.deliver(result, watched);
    }

    /// Delivers `unknown` with the reason `why` for a job that no worker can run, unless it was
    /// claimed or withdrawn.
    pub(super) fn reject(&self, job: &Job, why: &str) {
        if let Some(claimed) = self.claim(job) {
            claimed.fail(why);
        }
    }

    /// Claims the job; `None` if it was withdrawn or another worker has claimed it.
    pub(super) fn claim<'a>(&'a self, job: &'a Job) -> Option<ClaimedJob<'a>> {
        let id = job.claim()?;
        Some(ClaimedJob {
            id,
            spec: &job.spec,
            runner: self,
            _counted: RunningCount::new(&self.running),
        })
    }
}

/// A job that this worker has claimed.
#[derive(Debug)]
pub(super) struct ClaimedJob<'a> {
    pub(super) id: JobId,
    pub(super) spec: &'a Arc<CheckSpec>,
    runner: &'a JobRunner,
    _counted: RunningCount<'a>,
}

impl ClaimedJob<'_> {
    /// The start of the check: now.
    pub(super) fn start(&self) -> Start {
        let now = self.runner.clock.now();
        Start {
            job: self.id,
            moment: now.mono,
            at: now.wall,
        }
    }

    /// Opens its record; `None` while recording is off.
    pub(super) fn watch(&self, start: Start) -> Option<OpenRecord> {
        self.runner
            .recorder
            .begin(start.job, start.moment, self.runner.clock)
    }

    /// Delivers the result and closes the record.
    pub(super) fn deliver(self, result: CheckResult, watched: Option<OpenRecord>) {
        if let Some(watched) = watched {
            watched.end(&result);
        }
        // The receiver is gone only while the program ends.
        let _unheard = self.runner.results.send(result);
    }

    /// Delivers `unknown`: the check could not be run, for the reason `why`.
    pub(super) fn fail(self, why: &str) {
        let result = could_not_check(self.start(), self.spec, why, trace::here());
        self.deliver(result, None);
    }
}

/// Runs the check; a panic in it gives `unknown`. `live` logs its polls.
pub(super) async fn run_check(
    prober: &Prober,
    start: Start,
    spec: &CheckSpec,
    live: Option<(&Arc<InstrumentedCheck>, ThreadSharing)>,
) -> CheckResult {
    let observer = live.map(|(live, _)| Arc::clone(live) as Arc<dyn CheckObserver>);
    let check = AssertUnwindSafe(prober.check(start, spec, observer, trace::here)).catch_unwind();
    // The future is kilobytes large: pinned here, it is not moved again.
    let check = pin!(check);
    let checked = match live {
        Some((live, thread)) => live.watch(check, thread).await,
        None => check.await,
    };
    checked.unwrap_or_else(|_panic| {
        // The panic hook has logged it; the site is not down because of it.
        could_not_check(
            start,
            spec,
            "the check ended by a defect of this program",
            trace::here(),
        )
    })
}

/// Counts a check in flight until it is dropped, so that a cancelled one is not counted on.
#[derive(Debug)]
struct RunningCount<'a>(&'a AtomicUsize);

impl<'a> RunningCount<'a> {
    fn new(running: &'a AtomicUsize) -> Self {
        running.fetch_add(1, Ordering::Relaxed);
        Self(running)
    }
}

impl Drop for RunningCount<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
