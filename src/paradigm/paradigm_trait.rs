//! The trait of all paradigms, and a paradigm's row in the table: its name, its needs, and the
//! function that starts it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckResult, Job, RanOn, SiteId, SystemClock};
use crate::probe::ProberFactory;
use crate::trace::Recorder;

use super::queue_figures::QueueFigures;
use super::start_error::StartError;
use crate::domain::QueueOptions;

/// The names of a paradigm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The digit key that switches to it.
    pub key: char,
    /// Its name in files, on the command line and in JSON.
    pub name: &'static str,
    /// A description in at most eight words.
    pub summary: &'static str,
    /// The law for the time of a sweep, which the screen states.
    pub law: Law,
}

/// The law for the time of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// One check after another: the sum of all times.
    Sum,
    /// N checks at a time, each of which occupies a worker while it waits: the sum divided by N.
    SumByWorkers,
    /// All checks at once: the longest time.
    Slowest,
}

impl Law {
    /// The law in words, with N for the number of workers.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sum => "the SUM of all waits",
            Self::SumByWorkers => "about the SUM of all waits ÷ N",
            Self::Slowest => "as long as the SLOWEST wait",
        }
    }
}

/// The threads and processes for a number of workers, from which times are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Checks that can be in flight at once.
    pub in_flight: usize,
    /// Threads that run checks, in all processes.
    pub threads: usize,
    /// Processes that run checks; each has an interpreter lock of its own.
    pub processes: usize,
}

/// A row of the table of paradigms.
#[derive(Debug)]
pub struct ParadigmEntry {
    /// The names of the paradigm, short and long.
    pub label: Label,
    /// The number of workers by default: checks that can be in flight at once.
    pub default_workers: usize,
    /// Open files for ten workers, those of their threads' runtimes included.
    pub files_for_ten_workers: usize,
    /// Processes for each worker, besides this one.
    pub processes_per_worker: usize,
    /// Threads of this process for each worker.
    pub threads_per_worker: usize,
    /// Whether the number of workers can be changed.
    pub resizable: bool,
    /// The threads and processes for a number of workers.
    pub shape: fn(usize) -> Shape,
    /// Starts the paradigm. Must not block for longer than starting a thread takes.
    pub start: fn(&ParadigmContext) -> Result<Box<dyn Paradigm>, StartError>,
}

/// The parts of the program that a paradigm works with.
#[derive(Clone, Debug)]
pub struct ParadigmContext {
    /// The number of workers, within the limits of the system.
    pub workers: usize,
    /// The factory of probers; each runtime has one prober.
    pub factory: Arc<ProberFactory>,
    /// The program's clock.
    pub clock: SystemClock,
    /// The recorder of the trace.
    pub recorder: Arc<Recorder>,
    /// The channel for results. Unbounded, because a worker must not wait for the screen; it holds
    /// at most one result for each submitted job.
    pub results: UnboundedSender<CheckResult>,
    /// The options of the queue, which `celery` alone uses.
    pub queue: QueueOptions,
    /// Whether to start although the broker cannot be reached, and to try again: `true` at the
    /// start of the program, `false` for a switch, where the old paradigm stays in use instead.
    pub retry_broker: bool,
}

/// The load of a paradigm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The number of workers: checks that can be in flight at once.
    pub workers: usize,
    /// Checks that are in flight.
    pub running: usize,
    /// Jobs that wait for a worker; may include some that were withdrawn.
    pub queued: usize,
    /// Threads that run checks, in all processes.
    pub threads: usize,
    /// Processes that run checks.
    pub processes: usize,
}

/// A running paradigm.
///
/// Dropping it abandons the checks in flight without waiting: a caller that wants their results
/// keeps it until they have arrived. Child processes are then killed and reaped, which takes
/// milliseconds.
pub trait Paradigm: Send + fmt::Debug {
    /// Queues a job, first come, first served. Never blocks.
    fn submit(&mut self, job: Job);

    /// Changes the number of workers; checks in flight are finished.
    fn resize(&mut self, workers: usize);

    /// The counts of workers, threads and checks in flight.
    fn census(&self) -> Census;

    /// The queue between it and its workers; `None` if it has none.
    fn queue(&self) -> Option<QueueFigures> {
        None
    }

    /// The workers that were lost since the last call.
    fn losses(&self) -> Vec<WorkerLoss> {
        Vec::new()
    }
}

/// A worker process that died, hung or replied with something invalid, and was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerLoss {
    /// Its identity; `None` if it was lost before its handshake.
    pub who: Option<RanOn>,
    /// How it was lost, as a clause that follows its name.
    pub how: String,
    /// The site whose check is run again; `None` if it had none, or the check is given up.
    pub check: Option<SiteId>,
}
