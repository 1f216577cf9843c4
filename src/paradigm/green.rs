//! `green`: up to N tasks on one thread. Each runs until it waits; no other
//! thread does any of the work, name resolution included.

use std::sync::Arc;

use super::runtime_driver::{RuntimeDriver, enter};
use super::task_pool::TaskPool;
use super::{Label, Law, Paradigm, ParadigmContext, ParadigmEntry, Shape, StartError};

/// The row of this paradigm in [`ALL`](super::ALL).
pub(super) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '5',
        name: "green",
        summary: "N tasks on ONE thread, which never waits",
        law: Law::Slowest,
    },
    default_workers: 1_000,
    // A socket, and for a while a second one: for the name, the other address family, or the
    // GET beside a silent HEAD.
    files_for_ten_workers: 15,
    processes_per_worker: 0,
    threads_per_worker: 0,
    resizable: true,
    shape: |workers| Shape {
        in_flight: workers,
        threads: 1,
        processes: 1,
    },
    start,
};

fn start(context: &ParadigmContext) -> Result<Box<dyn Paradigm>, StartError> {
    let recorder = Arc::clone(&context.recorder);
    let driver =
        RuntimeDriver::one_thread("green", move || enter(&recorder)).map_err(StartError::thread)?;
    Ok(Box::new(TaskPool::start(driver, 1, context)))
}
