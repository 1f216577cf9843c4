//! `async`: up to N tasks on a work-stealing scheduler, one thread a core.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Builder;

use super::runtime_driver::{RuntimeDriver, enter};
use super::task_pool::TaskPool;
use super::{Label, Law, Paradigm, ParadigmContext, ParadigmEntry, Shape, StartError};

/// The row of this paradigm in [`ALL`](super::ALL).
pub(super) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '6',
        name: "async",
        summary: "N tasks, one thread a core, work stealing",
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
        threads: cores(),
        processes: 1,
    },
    start,
};

/// The number of cores that this process may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Tries whether the system allows `threads` more threads. Tokio's scheduler panics where it does
/// not. Twice as many are tried, because those of the trial take a moment to end.
fn may_start(threads: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        let shut = gate.lock();
        let all = (0..2 * threads).try_for_each(|_| {
            let wait = || drop(gate.lock());
            std::thread::Builder::new().spawn_scoped(scope, wait)?;
            Ok(())
        });
        drop(shut);
        all
    })
}

fn start(context: &ParadigmContext) -> Result<Box<dyn Paradigm>, StartError> {
    let cores = cores();
    let refused = |source| StartError::System {
        what: "no scheduler can be started",
        source,
    };
    may_start(cores).map_err(refused)?;
    let number = AtomicUsize::new(1);
    let recorder = Arc::clone(&context.recorder);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores)
        .thread_name_fn(move || format!("async-{}", number.fetch_add(1, Ordering::Relaxed)))
        .on_thread_start(move || enter(&recorder))
        .enable_all()
        .build()
        .map_err(refused)?;
    let driver = RuntimeDriver::own_threads(runtime);
    Ok(Box::new(TaskPool::start(driver, cores, context)))
}
