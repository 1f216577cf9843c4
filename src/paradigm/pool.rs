//! A pool of threads, each of which blocks on one check at a time.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::domain::Job;
use crate::probe::Kit;

use super::desk::Desk;
use super::queue::Queue;
use super::{Census, Context, Paradigm, StartError};

/// Threads around one queue.
#[derive(Debug)]
pub(super) struct Pool {
    name: &'static str,
    kit: Arc<Kit>,
    desk: Arc<Desk>,
    queue: Arc<Queue>,
    workers: usize,
    started: usize,
}

impl Pool {
    /// Starts `workers` threads called `name`-1, -2, …; a single one is called `name`.
    pub(super) fn start(
        name: &'static str,
        workers: usize,
        context: &Context,
    ) -> Result<Self, StartError> {
        let mut pool = Self {
            name,
            kit: Arc::clone(&context.kit),
            desk: Desk::new(context),
            queue: Arc::new(Queue::new()),
            workers,
            started: 0,
        };
        pool.grow_to(workers)
            .map_err(|error| StartError(format!("no thread can be started: {error}")))?;
        Ok(pool)
    }

    /// Starts the threads that are missing. An error means that not even one runs.
    fn grow_to(&mut self, workers: usize) -> io::Result<()> {
        let missing = self.queue.want(workers);
        for index in 0..missing {
            if let Err(error) = self.start_thread() {
                tracing::warn!(%error, "a thread cannot be started");
                self.queue.give_up_on(missing - index);
                if self.queue.takers() == 0 {
                    return Err(error);
                }
                break;
            }
        }
        self.workers = workers.min(self.queue.takers().max(1));
        Ok(())
    }

    fn start_thread(&mut self) -> io::Result<()> {
        self.started += 1;
        let name = match self.workers {
            1 => self.name.to_owned(),
            _ => format!("{}-{}", self.name, self.started),
        };
        // Made here, so that running out of files is noticed by whoever asked.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (kit, desk, queue) = (
            Arc::clone(&self.kit),
            Arc::clone(&self.desk),
            Arc::clone(&self.queue),
        );
        std::thread::Builder::new()
            .name(name)
            .spawn(move || work(&runtime, &kit, &desk, &queue))?;
        Ok(())
    }
}

fn work(runtime: &Runtime, kit: &Kit, desk: &Desk, queue: &Queue) {
    let prober = runtime.block_on(async { kit.prober() });
    while let Some(job) = queue.take() {
        runtime.block_on(async {
            desk.run(&prober, &job).await;
            // The connection's driver is a task of its own, which would keep the connection
            // open until this runtime is polled again: with the next job.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
    }
}

impl Paradigm for Pool {
    fn submit(&mut self, job: Job) {
        self.queue.push(job);
    }

    fn resize(&mut self, workers: usize) {
        if self.grow_to(workers).is_err() {
            tracing::warn!("no thread is left");
        }
    }

    fn census(&self) -> Census {
        Census {
            workers: self.workers,
            running: self.desk.running(),
            queued: self.queue.len(),
            threads: self.queue.takers(),
            processes: 1,
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
    }
}
