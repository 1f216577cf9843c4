//! A pool of tasks on a runtime: each runs one check at a time, and leaves its thread
//! to others while it waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::domain::Job;
use crate::probe::{Prober, ProberFactory};
use crate::trace::ThreadSharing;

use super::job_runner::JobRunner;
use super::runtime_driver::RuntimeDriver;
use super::{Census, Paradigm, ParadigmContext};

/// Up to N tasks on one runtime.
#[derive(Debug)]
pub(super) struct TaskPool {
    driver: RuntimeDriver,
    threads: usize,
    shared: Arc<TaskPoolShared>,
}

#[derive(Debug)]
struct TaskPoolShared {
    runner: Arc<JobRunner>,
    factory: Arc<ProberFactory>,
    /// Made by the first task, so that its runtime's own threads do all of the work.
    prober: OnceLock<Prober>,
    state: Mutex<TaskPoolState>,
}

#[derive(Debug)]
struct TaskPoolState {
    waiting: VecDeque<Job>,
    tasks: usize,
    most: usize,
}

impl TaskPool {
    /// Runs tasks on the runtime of `driver`, which has `threads` threads.
    pub(super) fn start(driver: RuntimeDriver, threads: usize, context: &ParadigmContext) -> Self {
        Self {
            driver,
            threads,
            shared: Arc::new(TaskPoolShared {
                runner: JobRunner::new(context),
                factory: Arc::clone(&context.factory),
                prober: OnceLock::new(),
                state: Mutex::new(TaskPoolState {
                    waiting: VecDeque::new(),
                    tasks: 0,
                    most: context.workers,
                }),
            }),
        }
    }

    fn spawn(&self, job: Job) {
        self.driver.spawn(Arc::clone(&self.shared).work(job));
    }
}

impl TaskPoolShared {
    fn lock(&self) -> MutexGuard<'_, TaskPoolState> {
        // Every change is complete before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of a task: its first job, then jobs that wait.
    async fn work(self: Arc<Self>, first: Job) {
        let prober = self.prober.get_or_init(|| self.factory.prober());
        let mut next = Some(first);
        while let Some(job) = next {
            self.runner.run(prober, &job, ThreadSharing::Shared).await;
            next = self.next();
        }
    }

    /// The next job for a task that is free; `None` ends the task.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        let job = if state.tasks > state.most {
            None
        } else {
            state.waiting.pop_front()
        };
        if job.is_none() {
            state.tasks -= 1;
        }
        job
    }
}

impl Paradigm for TaskPool {
    fn submit(&mut self, job: Job) {
        {
            let mut state = self.shared.lock();
            if state.tasks >= state.most {
                state.waiting.push_back(job);
                return;
            }
            state.tasks += 1;
        }
        self.spawn(job);
    }

    fn resize(&mut self, workers: usize) {
        let mut start = Vec::new();
        {
            let mut state = self.shared.lock();
            state.most = workers;
            while state.tasks < state.most
                && let Some(job) = state.waiting.pop_front()
            {
                state.tasks += 1;
                start.push(job);
            }
        }
        for job in start {
            self.spawn(job);
        }
    }

    fn census(&self) -> Census {
        let state = self.shared.lock();
        Census {
            workers: state.most,
            running: self.shared.runner.running(),
            queued: state.waiting.len(),
            threads: self.threads,
            processes: 1,
        }
    }
}

impl Drop for TaskPool {
    fn drop(&mut self) {
        // The tasks end with their driver, right after this.
        self.shared.lock().waiting.clear();
    }
}
