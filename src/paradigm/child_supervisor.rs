//! Supervises one child process: a task of the supervising thread, which gives it one job at a
//! time and replaces it when it dies, hangs or replies with something invalid.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

use crate::domain::{CheckSpec, Job, JobId, RanOn, SiteId};
use crate::probe::FactoryConfig;
use crate::probe::wire::Hello;
use crate::trace::{self, ThreadPresence};

use super::child::{Child, ChildExit, ChildFailure};
use super::child_reply::{ChildReply, origin_of};
use super::job_queue::{JobQueue, WorkerPolicy, WorkerSlot};
use super::job_runner::{ClaimedJob, JobRunner};
use super::jobs_ahead::JobsAhead;
use super::{ParadigmContext, StartError, WorkerLoss};

/// How often a check is tried, each time by a new child, before it is reported as unknown.
const MAX_ATTEMPTS: u32 = 3;

/// How long after a failure another child is started.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// The state that the supervisors of one paradigm share.
#[derive(Debug)]
pub(super) struct SupervisorShared {
    pub(super) runner: Arc<JobRunner>,
    pub(super) queue: Arc<JobQueue>,
    /// The origin of the clock that parent and children share.
    origin: Duration,
    factory_config: FactoryConfig,
    children: AtomicUsize,
    /// The jobs that children have ready beside those that they run.
    ahead: Arc<AtomicUsize>,
    /// Limits the children that start at once to the number of cores, so that the first is ready
    /// soon.
    starting: Semaphore,
    losses: Mutex<Vec<WorkerLoss>>,
}

impl SupervisorShared {
    pub(super) fn new(context: &ParadigmContext, factory_config: FactoryConfig) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            runner: JobRunner::new(context),
            queue: JobQueue::new(WorkerPolicy::Fixed, context.workers),
            origin: origin_of(context.clock),
            factory_config,
            children: AtomicUsize::new(0),
            ahead: Arc::default(),
            starting: Semaphore::new(cores),
            losses: Mutex::default(),
        })
    }

    /// The number of child processes.
    pub(super) fn children(&self) -> usize {
        self.children.load(Ordering::Relaxed)
    }

    /// The jobs that wait, in the queue or ready at a child.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len() + self.ahead.load(Ordering::Relaxed)
    }

    /// The children that were lost since the last call.
    pub(super) fn losses(&self) -> Vec<WorkerLoss> {
        std::mem::take(&mut *self.lost())
    }

    /// Remembers a lost child, up to 16 between two calls of [`Self::losses`]; the log has all.
    fn record_loss(&self, loss: WorkerLoss) {
        const MOST: usize = 16;
        let mut losses = self.lost();
        if losses.len() < MOST {
            losses.push(loss);
        }
    }

    fn lost(&self) -> MutexGuard<'_, Vec<WorkerLoss>> {
        // Every change is complete before anything could panic.
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a child. The system takes the calling thread for its parent: the child ends with it.
    ///
    /// # Errors
    /// If the operating system refuses the process.
    pub(super) fn start_child(self: &Arc<Self>) -> Result<SupervisedChild, StartError> {
        let child = Child::start().map_err(StartError::process)?;
        self.children.fetch_add(1, Ordering::Relaxed);
        Ok(SupervisedChild {
            child,
            ready: None,
            shared: Arc::clone(self),
        })
    }
}

/// A child, counted until it is dropped.
#[derive(Debug)]
pub(super) struct SupervisedChild {
    child: Child,
    /// The time of its handshake, its identity, and its registration as a thread that runs checks;
    /// `None` before the handshake.
    ready: Option<(Instant, RanOn, ThreadPresence)>,
    shared: Arc<SupervisorShared>,
}

impl Drop for SupervisedChild {
    fn drop(&mut self) {
        self.shared.children.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The supervisor of one child.
#[derive(Debug)]
pub(super) struct ChildSupervisor {
    shared: Arc<SupervisorShared>,
    slot: WorkerSlot,
    supervised: Option<SupervisedChild>,
}

impl ChildSupervisor {
    pub(super) fn new(
        shared: &Arc<SupervisorShared>,
        slot: WorkerSlot,
        first: Option<SupervisedChild>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            slot,
            supervised: first,
        }
    }

    /// Runs until there are too many workers, or `stopped` is `true`. `_keeping` is held until the
    /// child is reaped.
    pub(super) async fn run(
        mut self,
        mut stopped: watch::Receiver<bool>,
        _keeping: mpsc::Sender<()>,
    ) {
        let stopped = async move {
            let _whichever = stopped.wait_for(|stop| *stop).await.is_ok();
        };
        tokio::select! {
            biased;
            () = stopped => {}
            () = self.supervise() => {}
        }
        self.end_child(ChildFailure::Ended).await;
    }

    async fn supervise(&mut self) {
        loop {
            if let Err(why) = self.ensure_child().await {
                tracing::warn!("{why}");
                if !self.wait_without_child(&why.to_string()).await {
                    return;
                }
            }
            let Some(supervised) = &mut self.supervised else {
                continue;
            };
            tokio::select! {
                biased;
                failure = supervised.child.wait_for_failure() => self.replace_idle(failure).await,
                job = self.slot.next() => match job {
                    Some(job) => self.run_jobs(job).await,
                    None => return,
                },
            }
        }
    }

    /// Starts a child, unless there is one, and waits until it is ready.
    async fn ensure_child(&mut self) -> Result<(), StartError> {
        if self
            .supervised
            .as_ref()
            .is_some_and(|supervised| supervised.ready.is_some())
        {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        // The semaphore is never closed, so that this cannot fail.
        let _turn = shared.starting.acquire().await;
        let supervised = match &mut self.supervised {
            Some(supervised) => supervised,
            none => none.insert(shared.start_child()?),
        };
        let hello = Hello {
            name: format!("process-{}", self.slot.number()),
            config: shared.factory_config.clone(),
            origin: shared.origin,
            interpreter_lock: shared.runner.recorder().interpreter_lock().is_some(),
        };
        match supervised.child.handshake(&hello).await {
            Ok(()) => {
                let pid = supervised.child.pid().unwrap_or_default();
                let who = RanOn {
                    pid,
                    tid: pid,
                    thread: hello.name.into(),
                    ..trace::here()
                };
                let present = shared.runner.recorder().enter(who.clone());
                supervised.ready = Some((Instant::now(), who, present));
                Ok(())
            }
            Err(failure) => {
                let exit = self.end_lost_child(failure, None).await;
                Err(StartError::WorkerProcess(exit))
            }
        }
    }

    /// Waits for the next attempt after no child could be started. `false`: the supervisor ends.
    async fn wait_without_child(&mut self, why: &str) -> bool {
        if self.shared.children() > 0 {
            sleep(RESTART_DELAY).await;
            return self.slot.stay();
        }
        // No other child is there either: the check is reported as unknown instead of waiting.
        tokio::select! {
            biased;
            job = self.slot.next() => match job {
                Some(job) => self.shared.runner.reject(&job, why),
                None => return false,
            },
            () = sleep(RESTART_DELAY) => {}
        }
        true
    }

    async fn replace_idle(&mut self, failure: ChildFailure) {
        let ready = self.supervised.as_ref();
        let ready = ready.and_then(|supervised| Some(supervised.ready.as_ref()?.0));
        let exit = self.end_lost_child(failure, None).await;
        tracing::warn!("a worker process died: {exit}");
        // A child that ended right after its start may do so again.
        if ready.is_some_and(|ready| ready.elapsed() < RESTART_DELAY) {
            sleep(RESTART_DELAY).await;
        }
    }

    /// Runs the job, and those that the child is given ahead while checks are quick.
    async fn run_jobs(&mut self, first: Job) {
        let shared = Arc::clone(&self.shared);
        let mut ahead = JobsAhead::new(Arc::clone(&shared.queue), Arc::clone(&shared.ahead));
        let mut next = Some((first, None));
        while let Some((job, given)) = next {
            match (shared.runner.claim(&job), given) {
                (Some(claimed), given) => self.run_job(claimed, given, &mut ahead).await,
                (None, None) => {}
                // It was withdrawn while it was ready: the child runs it for nobody.
                (None, Some(given)) => {
                    if let Err(failure) = self.reply(given, &job.spec, &mut ahead).await {
                        let exit = self.end_lost_child(failure, None).await;
                        tracing::warn!("a worker process died: {exit}");
                    }
                }
            }
            next = ahead.next().map(|(job, given)| (job, Some(given)));
        }
    }

    /// Runs the job, by another child if one dies in it. `given`: the child has it already, by this
    /// name.
    async fn run_job(
        &mut self,
        claimed: ClaimedJob<'_>,
        mut given: Option<JobId>,
        ahead: &mut JobsAhead,
    ) {
        // What a child has ready is not recorded: none is ready where checks are.
        let watched = match given {
            None => claimed.watch(claimed.start()),
            Some(_) => None,
        };
        let mut why = String::new();
        for attempt in 1..=MAX_ATTEMPTS {
            if let Err(error) = self.ensure_child().await {
                why = error.to_string();
                sleep(RESTART_DELAY).await;
                continue;
            }
            let Some(supervised) = &mut self.supervised else {
                continue;
            };
            if let (Some(watched), Some((_, who, _))) = (&watched, &supervised.ready) {
                watched.live().set_remote_worker(who.clone());
            }
            let traced = watched.is_some();
            let reply = match given.take() {
                Some(given) => self.reply(given, claimed.spec, ahead).await,
                None => match supervised
                    .child
                    .give(claimed.id, claimed.spec, traced)
                    .await
                {
                    Ok(()) => self.reply(claimed.id, claimed.spec, ahead).await,
                    Err(failure) => Err(failure),
                },
            };
            match reply {
                Ok(ChildReply { mut result, notes }) => {
                    if let (Some(watched), Some(notes)) = (&watched, notes) {
                        watched.live().set_remote_log(notes);
                    }
                    let ready = self.supervised.as_ref();
                    if let Some((_, who, _)) = ready.and_then(|child| child.ready.as_ref()) {
                        result.ran_on = who.clone();
                    }
                    if result.job != claimed.id {
                        // It was renewed while it was ready.
                        result.job = claimed.id;
                        result.late = result.started.since(claimed.id.due);
                    }
                    self.give_ahead(ahead, result.latency);
                    return claimed.deliver(result, watched);
                }
                Err(ChildFailure::TaskTooLong) => {
                    return claimed.fail("the check does not fit into a message");
                }
                Err(failure) => {
                    let again = (attempt < MAX_ATTEMPTS).then_some(claimed.id.site);
                    let exit = self.end_lost_child(failure, again).await;
                    tracing::warn!(attempt, "a worker process died in a check: {exit}");
                    why = format!("a worker process died three times on it: {exit}");
                }
            }
        }
        claimed.fail(&why);
    }

    /// Waits for the reply to the check that the child runs now, which was given by the name of
    /// `job`. Where that is no quick one, the checks that are ready behind it are put back, and
    /// they are if the child dies.
    async fn reply(
        &mut self,
        job: JobId,
        spec: &CheckSpec,
        ahead: &mut JobsAhead,
    ) -> Result<ChildReply, ChildFailure> {
        let Some(supervised) = &mut self.supervised else {
            return Err(ChildFailure::Ended);
        };
        let reply = supervised.child.reply(job, spec, ahead).await;
        if reply.is_err() {
            ahead.put_back(|_| true);
        }
        reply
    }

    /// Gives the child more jobs, if its checks are quick and none is recorded: each poll of a
    /// recorded one is to be known while it runs.
    fn give_ahead(&self, ahead: &mut JobsAhead, took: Duration) {
        if let Some(supervised) = &self.supervised
            && supervised.child.has_no_reply()
            && !self.shared.runner.recorder().is_on()
        {
            ahead.fill(took, |job, spec| supervised.child.give_ahead(job, spec));
        }
    }

    /// Ends a child that is to be replaced and records the loss; `check` is the one that is run
    /// again.
    async fn end_lost_child(&mut self, failure: ChildFailure, check: Option<SiteId>) -> ChildExit {
        let ready = self
            .supervised
            .as_ref()
            .and_then(|supervised| supervised.ready.as_ref());
        let who = ready.map(|(_, who, _)| who.clone());
        let exit = self.end_child(failure).await;
        let how = exit.to_string();
        self.shared.record_loss(WorkerLoss { who, how, check });
        exit
    }

    /// Ends the child, if there is one, and waits until it is reaped.
    async fn end_child(&mut self, failure: ChildFailure) -> ChildExit {
        match &mut self.supervised {
            Some(supervised) => {
                let exit = supervised.child.end(failure).await;
                self.supervised = None;
                exit
            }
            None => ChildExit::without_status(failure),
        }
    }
}
