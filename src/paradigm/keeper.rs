//! Keeps one child process at work: a task of the supervising thread, which hands it a job
//! at a time and replaces it when it dies, hangs or talks nonsense.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

use crate::domain::{Job, RanOn, SiteId};
use crate::probe::Recipe;
use crate::probe::wire::Hello;
use crate::trace::{self, ThreadPresence};

use super::answer::{Answer, origin_of};
use super::child::{Broken, Child, Death};
use super::desk::Desk;
use super::limits::refusal;
use super::queue::{Queue, Staff, Taker};
use super::{Context, Loss};

/// Children that die of the same check before the check is given up.
const MOST_DEATHS: u32 = 3;

/// How long after a failure another child is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// What the keepers of one paradigm share.
#[derive(Debug)]
pub(super) struct Company {
    pub(super) desk: Arc<Desk>,
    pub(super) queue: Arc<Queue>,
    /// When our clock began, which is to be the children's too.
    origin: Duration,
    recipe: Recipe,
    children: AtomicUsize,
    /// As many start at once as there are cores: so the first is ready soon.
    starting: Semaphore,
    losses: Mutex<Vec<Loss>>,
}

impl Company {
    pub(super) fn new(context: &Context, recipe: Recipe) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            desk: Desk::new(context),
            queue: Queue::new(Staff::Standing, context.workers),
            origin: origin_of(context.clock),
            recipe,
            children: AtomicUsize::new(0),
            starting: Semaphore::new(cores),
            losses: Mutex::default(),
        })
    }

    /// Child processes that are there.
    pub(super) fn children(&self) -> usize {
        self.children.load(Ordering::Relaxed)
    }

    /// The children that were lost since it was asked last.
    pub(super) fn losses(&self) -> Vec<Loss> {
        std::mem::take(&mut *self.lost())
    }

    /// Remembers a child that was lost. Of more than somebody would read the others are in the
    /// log alone.
    fn lose(&self, loss: Loss) {
        const MOST: usize = 16;
        let mut losses = self.lost();
        if losses.len() < MOST {
            losses.push(loss);
        }
    }

    fn lost(&self) -> MutexGuard<'_, Vec<Loss>> {
        // Every change is complete before anything could panic.
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a child. The system takes the calling thread for its parent, with which it
    /// ends.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub(super) fn employ(self: &Arc<Self>) -> Result<Employed, String> {
        let child = Child::start()
            .map_err(|error| format!("no worker process can be started: {}", refusal(&error)))?;
        self.children.fetch_add(1, Ordering::Relaxed);
        Ok(Employed {
            child,
            ready: None,
            company: Arc::clone(self),
        })
    }
}

/// A child, counted for as long as it is there.
#[derive(Debug)]
pub(super) struct Employed {
    child: Child,
    /// When it had been greeted, and its place among the threads that run checks.
    ready: Option<(Instant, RanOn, ThreadPresence)>,
    company: Arc<Company>,
}

impl Drop for Employed {
    fn drop(&mut self) {
        self.company.children.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keeps one child at work.
#[derive(Debug)]
pub(super) struct Keeper {
    company: Arc<Company>,
    taker: Taker,
    employed: Option<Employed>,
}

impl Keeper {
    pub(super) fn new(company: &Arc<Company>, taker: Taker, first: Option<Employed>) -> Self {
        Self {
            company: Arc::clone(company),
            taker,
            employed: first,
        }
    }

    /// Works until it is not wanted any more, or `stopped` says so. `_keeping` is held until
    /// nothing is left of the child.
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
            () = self.keep() => {}
        }
        self.dismiss(Broken::Ended).await;
    }

    async fn keep(&mut self) {
        loop {
            if let Err(why) = self.have_child().await {
                tracing::warn!("{why}");
                if !self.do_without(&why).await {
                    return;
                }
            }
            let Some(employed) = &mut self.employed else {
                continue;
            };
            tokio::select! {
                biased;
                broken = employed.child.stir() => self.replace_idle(broken).await,
                job = self.taker.next() => match job {
                    Some(job) => self.see_to(&job).await,
                    None => return,
                },
            }
        }
    }

    /// Sees to it that there is a child that is ready to work.
    async fn have_child(&mut self) -> Result<(), String> {
        if self
            .employed
            .as_ref()
            .is_some_and(|employed| employed.ready.is_some())
        {
            return Ok(());
        }
        let company = Arc::clone(&self.company);
        // Never closed, so that waiting for it cannot fail.
        let _turn = company.starting.acquire().await;
        let employed = match &mut self.employed {
            Some(employed) => employed,
            none => none.insert(company.employ()?),
        };
        let hello = Hello {
            name: format!("process-{}", self.taker.number()),
            recipe: company.recipe.clone(),
            origin: company.origin,
            interpreter_lock: company.desk.recorder().interpreter_lock().is_some(),
        };
        match employed.child.greet(&hello).await {
            Ok(()) => {
                let pid = employed.child.pid().unwrap_or_default();
                let who = RanOn {
                    pid,
                    tid: pid,
                    thread: hello.name.into(),
                    ..trace::here()
                };
                let present = company.desk.recorder().enter(who.clone());
                employed.ready = Some((Instant::now(), who, present));
                Ok(())
            }
            Err(broken) => {
                let death = self.lose(broken, None).await;
                Err(format!("no worker process can be started: {death}"))
            }
        }
    }

    /// What to do when no child can be had, before the next attempt; `false`: nothing more.
    async fn do_without(&mut self, why: &str) -> bool {
        if self.company.children() > 0 {
            sleep(PAUSE).await;
            return self.taker.stay();
        }
        // Nobody else will do it either: a check is not kept waiting for better times.
        tokio::select! {
            biased;
            job = self.taker.next() => match job {
                Some(job) => self.company.desk.decline(&job, why),
                None => return false,
            },
            () = sleep(PAUSE) => {}
        }
        true
    }

    async fn replace_idle(&mut self, broken: Broken) {
        let ready = self.employed.as_ref();
        let ready = ready.and_then(|employed| Some(employed.ready.as_ref()?.0));
        let death = self.lose(broken, None).await;
        tracing::warn!("a worker process died: {death}");
        // Whatever ends children as soon as they are there may do so again.
        if ready.is_some_and(|ready| ready.elapsed() < PAUSE) {
            sleep(PAUSE).await;
        }
    }

    /// Has the job run, by another child if one dies of it.
    async fn see_to(&mut self, job: &Job) {
        let company = Arc::clone(&self.company);
        let Some(claimed) = company.desk.claim(job) else {
            return;
        };
        let watched = claimed.watch(claimed.start());
        let mut why = String::new();
        for attempt in 1..=MOST_DEATHS {
            if let Err(error) = self.have_child().await {
                why = error;
                sleep(PAUSE).await;
                continue;
            }
            let Some(employed) = &mut self.employed else {
                continue;
            };
            if let (Some(watched), Some((_, who, _))) = (&watched, &employed.ready) {
                watched.live().set_remote_worker(who.clone());
            }
            let traced = watched.is_some();
            match employed.child.ask(claimed.id, claimed.spec, traced).await {
                Ok(Answer { result, notes }) => {
                    if let (Some(watched), Some(notes)) = (&watched, notes) {
                        watched.live().set_remote_log(notes);
                    }
                    return claimed.answer(result, watched);
                }
                Err(Broken::NotAsked) => {
                    return claimed.give_up("the check does not fit into a message");
                }
                Err(broken) => {
                    let again = (attempt < MOST_DEATHS).then_some(claimed.id.site);
                    let death = self.lose(broken, again).await;
                    tracing::warn!(attempt, "a worker process died in a check: {death}");
                    why = format!("a worker process died three times on it: {death}");
                }
            }
        }
        claimed.give_up(&why);
    }

    /// Ends a child that is to be replaced; the check that it had is run again, if it is named.
    async fn lose(&mut self, broken: Broken, check: Option<SiteId>) -> Death {
        let ready = self
            .employed
            .as_ref()
            .and_then(|employed| employed.ready.as_ref());
        let who = ready.map(|(_, who, _)| who.clone());
        let death = self.dismiss(broken).await;
        let how = death.to_string();
        self.company.lose(Loss { who, how, check });
        death
    }

    /// Ends the child, if there is one, and waits until nothing is left of it.
    async fn dismiss(&mut self, broken: Broken) -> Death {
        match &mut self.employed {
            Some(employed) => {
                let death = employed.child.end(broken).await;
                self.employed = None;
                death
            }
            None => Death::unseen(broken),
        }
    }
}
