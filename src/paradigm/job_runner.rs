//! Running one job: claimed, timed, looked at, answered. The same for every paradigm.

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

/// What every worker of a paradigm needs to run jobs, and the count of those that run.
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

    /// The calling thread may run checks, for as long as what this gives lives.
    pub(super) fn enter(&self) -> ThreadPresence {
        self.recorder.enter(trace::here())
    }

    /// Where everything is noted.
    pub(super) const fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Checks that are in flight.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Runs the job, unless somebody else has claimed it or it was withdrawn.
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

    /// Answers the job, unless somebody else has claimed it, by saying why nobody can look.
    pub(super) fn reject(&self, job: &Job, why: &str) {
        if let Some(claimed) = self.claim(job) {
            claimed.fail(why);
        }
    }

    /// Takes the job to run it; `None` if it was withdrawn or somebody else was faster.
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

/// A job that nobody else will run.
#[derive(Debug)]
pub(super) struct ClaimedJob<'a> {
    pub(super) id: JobId,
    pub(super) spec: &'a Arc<CheckSpec>,
    runner: &'a JobRunner,
    _counted: RunningCount<'a>,
}

impl ClaimedJob<'_> {
    /// Its start, which is now.
    pub(super) fn start(&self) -> Start {
        let now = self.runner.clock.now();
        Start {
            job: self.id,
            moment: now.mono,
            at: now.wall,
        }
    }

    /// What notes it from its start on, if anything is to be noted.
    pub(super) fn watch(&self, start: Start) -> Option<OpenRecord> {
        self.runner
            .recorder
            .begin(start.job, start.moment, self.runner.clock)
    }

    /// Hands its result in.
    pub(super) fn deliver(self, result: CheckResult, watched: Option<OpenRecord>) {
        if let Some(watched) = watched {
            watched.end(&result);
        }
        // Nobody listens any more when the program is on its way out.
        let _unheard = self.runner.results.send(result);
    }

    /// Hands in that it could not be carried out, and why.
    pub(super) fn fail(self, why: &str) {
        let result = could_not_check(self.start(), self.spec, why, trace::here());
        self.deliver(result, None);
    }
}

/// Looks, whatever happens; `live` notes how, on a thread of this kind.
pub(super) async fn run_check(
    prober: &Prober,
    start: Start,
    spec: &CheckSpec,
    live: Option<(&Arc<InstrumentedCheck>, ThreadSharing)>,
) -> CheckResult {
    let observer = live.map(|(live, _)| Arc::clone(live) as Arc<dyn CheckObserver>);
    let check = AssertUnwindSafe(prober.check(start, spec, observer, trace::here)).catch_unwind();
    // Kilobytes, which stay where they are whoever polls them.
    let check = pin!(check);
    let checked = match live {
        Some((live, thread)) => live.watch(check, thread).await,
        None => check.await,
    };
    checked.unwrap_or_else(|_panic| {
        // The panic hook has logged it; the site must not pay for it.
        could_not_check(
            start,
            spec,
            "the check broke off in a fault of this program",
            trace::here(),
        )
    })
}

/// Counts a check in flight for as long as it lives, a cancelled one included.
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
