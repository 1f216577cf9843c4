//! `threads`: N threads take jobs from one shared queue; each is blocked by
//! its check while that waits.

use super::job_queue::WorkerPolicy;
use super::thread_pool::ThreadPool;
use super::{Label, Law, ParadigmEntry, Shape};

/// The row of this paradigm in [`ALL`](super::ALL).
pub(super) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '2',
        name: "threads",
        summary: "N threads around one shared queue",
        law: Law::SumByWorkers,
    },
    default_workers: 16,
    // A socket, and the four files of the thread's own runtime.
    files_for_ten_workers: 50,
    processes_per_worker: 0,
    threads_per_worker: 1,
    resizable: true,
    shape: |workers| Shape {
        in_flight: workers,
        threads: workers,
        processes: 1,
    },
    start: |context| {
        let name = |number| format!("thread-{number}");
        let workers = context.workers;
        Ok(Box::new(ThreadPool::start(
            name,
            WorkerPolicy::Fixed,
            workers,
            context,
        )?))
    },
};
