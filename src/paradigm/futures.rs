//! `futures`: whoever submits a check gets its result when it has completed; a pool makes
//! threads as they are needed, uses them again, and lets go of those that have nothing to do.

use std::time::Duration;

use super::pool::Pool;
use super::queue::Staff;
use super::{Entry, Label, Law, Shape};

/// How long a thread without a check is kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// The entry of the table.
pub(super) const ENTRY: Entry = Entry {
    label: Label {
        key: '3',
        name: "futures",
        summary: "threads on demand, up to N",
        law: Law::SumByWorkers,
    },
    default_workers: 16,
    // As for `threads`.
    files_per_worker: 5,
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
        let staff = Staff::OnDemand(PATIENCE);
        Ok(Box::new(Pool::start(
            name,
            staff,
            context.workers,
            context,
        )?))
    },
};
