//! `serial`: one thread, one check at a time. A sweep is the sum of all waits.

use super::job_queue::WorkerPolicy;
use super::thread_pool::ThreadPool;
use super::{Label, Law, ParadigmEntry, Shape};

/// The row of this paradigm in [`ALL`](super::ALL).
pub(super) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '1',
        name: "serial",
        summary: "one thread, one check at a time",
        law: Law::Sum,
    },
    default_workers: 1,
    files_for_ten_workers: 50,
    processes_per_worker: 0,
    threads_per_worker: 0,
    resizable: false,
    shape: |_| Shape {
        in_flight: 1,
        threads: 1,
        processes: 1,
    },
    start: |context| {
        let name = |_| "serial".to_owned();
        Ok(Box::new(ThreadPool::start(
            name,
            WorkerPolicy::Fixed,
            1,
            context,
        )?))
    },
};
