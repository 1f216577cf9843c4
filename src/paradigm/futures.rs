//! `futures`: a pool of threads that are started on demand, used again, and ended when they are
//! idle, as in Python's `ThreadPoolExecutor`.

use std::time::Duration;

use super::job_queue::WorkerPolicy;
use super::thread_pool::ThreadPool;
use super::{Label, Law, ParadigmEntry, Shape};

/// How long an idle thread is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// The row of this paradigm in [`ALL`](super::ALL).
pub(super) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '3',
        name: "futures",
        summary: "threads on demand, up to N",
        law: Law::SumByWorkers,
    },
    default_workers: 16,
    // The same as of `threads`.
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
        let name = |number| format!("future-{number}");
        let policy = WorkerPolicy::OnDemand(IDLE_TIMEOUT);
        Ok(Box::new(ThreadPool::start(
            name,
            policy,
            context.workers,
            context,
        )?))
    },
};
