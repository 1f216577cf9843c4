//! A pool of threads; each blocks on one check at a time.

use std::io;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::domain::Job;
use crate::probe::{self, ProberFactory};
use crate::runtime::thread;
use crate::trace::ThreadSharing;

use super::job_queue::{JobQueue, WorkerPolicy, WorkerSlot};
use super::job_runner::JobRunner;
use super::{Census, Paradigm, ParadigmContext, StartError};

/// Threads that take jobs from one queue.
#[derive(Debug)]
pub(super) struct ThreadPool {
    /// The name of a thread, by its number from 1.
    name: fn(usize) -> String,
    factory: Arc<ProberFactory>,
    policy: WorkerPolicy,
    runner: Arc<JobRunner>,
    queue: Arc<JobQueue>,
}

impl ThreadPool {
    /// Starts the threads that `policy` asks for at the start, at most `workers`.
    ///
    /// # Errors
    /// If not even one thread can be started.
    pub(super) fn start(
        name: fn(usize) -> String,
        policy: WorkerPolicy,
        workers: usize,
        context: &ParadigmContext,
    ) -> Result<Self, StartError> {
        let pool = Self {
            name,
            factory: Arc::clone(&context.factory),
            policy,
            runner: JobRunner::new(context),
            queue: JobQueue::new(policy, workers),
        };
        pool.grow().map_err(StartError::thread)?;
        Ok(pool)
    }

    /// Starts the threads that are missing now.
    ///
    /// # Errors
    /// If no thread runs and none can be started.
    fn grow(&self) -> io::Result<()> {
        while let Some(slot) = self.queue.add_worker() {
            if let Err(error) = self.start_thread(slot) {
                tracing::warn!(%error, "a thread cannot be started");
                let running = self.queue.workers();
                if running == 0 {
                    return Err(error);
                }
                if self.policy == WorkerPolicy::Fixed {
                    self.queue.set_limit(running);
                }
                break;
            }
        }
        Ok(())
    }

    fn start_thread(&self, mut slot: WorkerSlot) -> io::Result<()> {
        let (factory, runner) = (Arc::clone(&self.factory), Arc::clone(&self.runner));
        let name = (self.name)(slot.number());
        thread::with_runtime(name, move |runtime| {
            work(&runtime, &factory, &runner, &mut slot);
        })?;
        Ok(())
    }
}

fn work(runtime: &Runtime, factory: &ProberFactory, runner: &JobRunner, slot: &mut WorkerSlot) {
    let _present = runner.enter();
    let prober = runtime.block_on(async { factory.prober() });
    while let Some(job) = slot.take() {
        probe::block_on(runtime, runner.run(&prober, &job, ThreadSharing::Own));
    }
}

impl Paradigm for ThreadPool {
    fn submit(&mut self, job: Job) {
        self.queue.push(job);
        if let Err(error) = self.grow() {
            let why = StartError::thread(error).to_string();
            for job in self.queue.drain() {
                self.runner.reject(&job, &why);
            }
        }
    }

    fn resize(&mut self, workers: usize) {
        self.queue.set_limit(workers);
        if self.grow().is_err() {
            tracing::warn!("no thread is left");
        }
    }

    fn census(&self) -> Census {
        Census {
            workers: self.queue.limit(),
            running: self.runner.running(),
            queued: self.queue.len(),
            threads: self.queue.workers(),
            processes: 1,
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckResult, CheckSpec, JobId, MaskedUrl, Moment, SiteId, SystemClock};
    use crate::probe::FakeProbe;
    use crate::trace::Recorder;
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    const TEST_TIMEOUT: Duration = Duration::from_secs(30);

    fn pool(policy: WorkerPolicy, delay: Duration) -> (ThreadPool, UnboundedReceiver<CheckResult>) {
        let (results, inbox) = unbounded_channel();
        let context = ParadigmContext {
            retry_broker: false,
            queue: crate::paradigm::QueueOptions::default(),
            workers: 4,
            factory: Arc::new(ProberFactory::fake(FakeProbe::up_after(delay))),
            clock: SystemClock::new(),
            recorder: Recorder::new(),
            results,
        };
        let name = |number| format!("test-{number}");
        (ThreadPool::start(name, policy, 4, &context).unwrap(), inbox)
    }

    fn job(index: usize) -> Job {
        let id = JobId {
            site: SiteId::from_index(index),
            due: Moment::ZERO,
        };
        let spec = CheckSpec {
            timeout: TEST_TIMEOUT,
            slow: TEST_TIMEOUT,
            ..CheckSpec::new(MaskedUrl::new("http://127.0.0.1/"))
        };
        Job::new(id, Arc::new(spec))
    }

    fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + TEST_TIMEOUT;
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn threads_come_as_they_are_needed_are_used_again_and_retire() {
        let patience = Duration::from_millis(300);
        let (mut pool, mut inbox) =
            pool(WorkerPolicy::OnDemand(patience), Duration::from_millis(20));
        assert_eq!(
            pool.census().threads,
            1,
            "the first one shows that there can be any"
        );
        let mut names = BTreeSet::new();
        for wave in 0..3 {
            for index in 0..10 {
                pool.submit(job(wave * 10 + index));
            }
            assert_eq!(pool.census().threads, 4);
            for _ in 0..10 {
                names.insert(inbox.blocking_recv().unwrap().ran_on.thread);
            }
        }
        let known = ["test-1", "test-2", "test-3", "test-4"];
        assert!(
            names.iter().all(|name| known.contains(&&**name)),
            "{names:?}"
        );
        wait_until("the idle retire", || pool.census().threads == 0);
        pool.submit(job(99));
        assert_eq!(pool.census().threads, 1, "one job, one thread");
        let again = inbox.blocking_recv().unwrap().ran_on.thread;
        assert_eq!(&*again, "test-1", "numbers are given away again");
    }

    #[test]
    fn one_job_at_a_time_keeps_one_thread_of_many_busy_and_lets_the_others_go() {
        let patience = Duration::from_millis(300);
        let (mut pool, mut inbox) =
            pool(WorkerPolicy::OnDemand(patience), Duration::from_millis(1));
        for index in 0..4 {
            pool.submit(job(index));
        }
        for _ in 0..4 {
            inbox.blocking_recv().unwrap();
        }
        let mut next = 4;
        wait_until("three retire although there is work", || {
            pool.submit(job(next));
            next += 1;
            inbox.blocking_recv().unwrap();
            pool.census().threads == 1
        });
    }

    #[test]
    fn a_standing_pool_has_its_threads_at_once_and_gives_up_those_beyond() {
        let (mut pool, mut inbox) = pool(WorkerPolicy::Fixed, Duration::from_millis(1));
        assert_eq!(pool.census().threads, 4);
        pool.resize(2);
        wait_until("two are left", || pool.census().threads == 2);
        pool.resize(3);
        assert_eq!(pool.census().threads, 3);
        for index in 0..20 {
            pool.submit(job(index));
        }
        for _ in 0..20 {
            inbox.blocking_recv().unwrap();
        }
        let queue = Arc::clone(&pool.queue);
        drop(pool);
        wait_until("none is left", || queue.workers() == 0);
    }
}
