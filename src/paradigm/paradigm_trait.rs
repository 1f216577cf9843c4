//! What every paradigm is: a name, a way to start, and a running engine that takes jobs.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::domain::{CheckResult, Job, RanOn, SiteId, SystemClock};
use crate::probe::ProberFactory;
use crate::trace::Recorder;

use super::queue_figures::QueueFigures;
use super::start_error::StartError;
use crate::domain::QueueOptions;

/// How a paradigm is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The digit that switches to it.
    pub key: char,
    /// In files, on the command line and in JSON.
    pub name: &'static str,
    /// What it is, in at most eight words.
    pub summary: &'static str,
    /// What bounds a sweep: the law that the screen states.
    pub law: Law,
}

/// What bounds the time of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// One check after another.
    Sum,
    /// So many at a time, each of which holds a worker while it waits.
    SumByWorkers,
    /// All at once.
    Slowest,
}

impl Law {
    /// In words, with N for the number of workers.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sum => "the SUM of all waits",
            Self::SumByWorkers => "about the SUM of all waits ÷ N",
            Self::Slowest => "as long as the SLOWEST wait",
        }
    }
}

/// Who runs checks when so many may be in flight: what can be predicted follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Checks in flight at once.
    pub in_flight: usize,
    /// Threads that run them, in all processes.
    pub threads: usize,
    /// Processes that run them; each has an interpreter lock of its own.
    pub processes: usize,
}

/// One row of the table of paradigms.
#[derive(Debug)]
pub struct ParadigmEntry {
    /// How it is called.
    pub label: Label,
    /// Checks in flight at once, unless somebody says otherwise.
    pub default_workers: usize,
    /// Open files that one check in flight needs, its own thread's runtime included.
    pub files_per_worker: usize,
    /// Processes that one check in flight needs besides this one.
    pub processes_per_worker: usize,
    /// Threads of this process that one check in flight has for itself.
    pub threads_per_worker: usize,
    /// Whether the number of workers can be changed at all.
    pub resizable: bool,
    /// Who runs the checks, for a number of workers.
    pub shape: fn(usize) -> Shape,
    /// Starts it. Must not block for longer than it takes to start a thread.
    pub start: fn(&ParadigmContext) -> Result<Box<dyn Paradigm>, StartError>,
}

/// What a paradigm gets to work with.
#[derive(Clone, Debug)]
pub struct ParadigmContext {
    /// Checks in flight at once, already within the system's limits.
    pub workers: usize,
    /// Makes the probe: one for each runtime.
    pub factory: Arc<ProberFactory>,
    /// The time.
    pub clock: SystemClock,
    /// Where workers note what they do.
    pub recorder: Arc<Recorder>,
    /// Where results go. Unbounded, because a worker must never wait for the screen; it
    /// holds at most one result for each job that was submitted.
    pub results: UnboundedSender<CheckResult>,
    /// The queue between this program and workers elsewhere, for the paradigm that has one.
    pub queue: QueueOptions,
    /// Whether to begin although the queue cannot be reached, and to go on trying: better than
    /// not to begin, and worse than whatever runs the checks already.
    pub retry_broker: bool,
}

/// How busy a paradigm is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Checks that may be in flight at once.
    pub workers: usize,
    /// Checks that are in flight.
    pub running: usize,
    /// Jobs that wait for a worker; may count some that were withdrawn.
    pub queued: usize,
    /// Threads that run checks, in all its processes.
    pub threads: usize,
    /// Processes that run checks.
    pub processes: usize,
}

/// A running paradigm.
///
/// Dropping it abandons the checks in flight and does not wait for them: whoever wants their
/// results keeps it until they have arrived. Child processes are ended and reaped by then,
/// which takes milliseconds.
pub trait Paradigm: Send + fmt::Debug {
    /// Takes a job to run as soon as a worker is free, first come, first served. Never
    /// blocks.
    fn submit(&mut self, job: Job);

    /// Changes how many checks may be in flight at once; checks in flight are finished.
    fn resize(&mut self, workers: usize);

    /// How busy it is.
    fn census(&self) -> Census;

    /// The queue between it and its workers, if it has one.
    fn queue(&self) -> Option<QueueFigures> {
        None
    }

    /// The workers that it lost and replaces, since it was asked last.
    fn losses(&self) -> Vec<WorkerLoss> {
        Vec::new()
    }
}

/// A worker that ended, hung or talked nonsense, and was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerLoss {
    /// Who it was; `None` if it was lost before it had said so.
    pub who: Option<RanOn>,
    /// What became of it, to be put behind its name.
    pub how: String,
    /// The check that it had, which is run again.
    pub check: Option<SiteId>,
}
