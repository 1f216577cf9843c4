//! A pool of threads, each of which blocks on one check at a time.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::domain::Job;
use crate::probe::Kit;

use super::desk::Desk;
use super::limits::refusal;
use super::queue::{Queue, Staff, Taker};
use super::{Census, Context, Paradigm, StartError};

/// Threads around one queue.
#[derive(Debug)]
pub(super) struct Pool {
    /// What a thread is called, by its number.
    name: fn(usize) -> String,
    kit: Arc<Kit>,
    staff: Staff,
    desk: Arc<Desk>,
    queue: Arc<Queue>,
}

impl Pool {
    /// Starts the threads that `staff` asks for at once, of at most `workers`.
    pub(super) fn start(
        name: fn(usize) -> String,
        staff: Staff,
        workers: usize,
        context: &Context,
    ) -> Result<Self, StartError> {
        let pool = Self {
            name,
            kit: Arc::clone(&context.kit),
            staff,
            desk: Desk::new(context),
            queue: Queue::new(staff, workers),
        };
        pool.grow()
            .map_err(|error| StartError(cannot_start(&error)))?;
        Ok(pool)
    }

    /// Starts the threads that are wanted now. An error means that not even one runs.
    fn grow(&self) -> io::Result<()> {
        while let Some(taker) = self.queue.recruit() {
            if let Err(error) = self.start_thread(taker) {
                tracing::warn!(%error, "a thread cannot be started");
                let running = self.queue.takers();
                if running == 0 {
                    return Err(error);
                }
                if self.staff == Staff::Standing {
                    self.queue.allow(running);
                }
                break;
            }
        }
        Ok(())
    }

    fn start_thread(&self, mut taker: Taker) -> io::Result<()> {
        // Made here, so that running out of files is noticed by whoever asked.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (kit, desk) = (Arc::clone(&self.kit), Arc::clone(&self.desk));
        std::thread::Builder::new()
            .name((self.name)(taker.number()))
            .spawn(move || work(&runtime, &kit, &desk, &mut taker))?;
        Ok(())
    }
}

fn cannot_start(error: &io::Error) -> String {
    format!("no thread can be started: {}", refusal(error))
}

fn work(runtime: &Runtime, kit: &Kit, desk: &Desk, taker: &mut Taker) {
    let prober = runtime.block_on(async { kit.prober() });
    while let Some(job) = taker.take() {
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
        if let Err(error) = self.grow() {
            let why = cannot_start(&error);
            for job in self.queue.drain() {
                self.desk.decline(&job, &why);
            }
        }
    }

    fn resize(&mut self, workers: usize) {
        self.queue.allow(workers);
        if self.grow().is_err() {
            tracing::warn!("no thread is left");
        }
    }

    fn census(&self) -> Census {
        Census {
            workers: self.queue.most(),
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
