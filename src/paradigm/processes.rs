//! `processes`: N child processes of this program, each with memory of its own and one
//! check at a time. One thread of this process hands out jobs, takes results in, and
//! replaces children that die, hang or reply with something invalid.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::Job;

use super::child_supervisor::{ChildSupervisor, SupervisedChild, SupervisorShared};
use super::deferred_join;
use super::runtime_driver::RuntimeDriver;
use super::{
    Census, Label, Law, Paradigm, ParadigmContext, ParadigmEntry, Shape, StartError, WorkerLoss,
};

/// The row of this paradigm in [`ALL`](super::ALL).
pub(super) const ENTRY: ParadigmEntry = ParadigmEntry {
    label: Label {
        key: '4',
        name: "processes",
        summary: "N processes, each with memory of its own",
        law: Law::SumByWorkers,
    },
    default_workers: 4,
    // Both ends of a socket, a pipe, and the handle by which the system tells of a child's end.
    files_for_ten_workers: 40,
    processes_per_worker: 1,
    threads_per_worker: 0,
    resizable: true,
    shape: |workers| Shape {
        in_flight: workers,
        threads: workers,
        processes: workers,
    },
    start,
};

/// How long to wait for the children to end once they have been killed.
const TERMINATION_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct ProcessPool {
    shared: Arc<SupervisorShared>,
    /// Set to `true`, it makes the supervisors end their children at once.
    stop: watch::Sender<bool>,
    alive: mpsc::Sender<()>,
    /// `None` only while this is being dropped.
    thread: Option<SupervisorThread>,
}

/// The thread on which all supervisors run.
#[derive(Debug)]
struct SupervisorThread {
    /// Disconnected when the last supervisor has ended its child.
    all_ended: mpsc::Receiver<()>,
    driver: RuntimeDriver,
}

impl SupervisorThread {
    /// Blocks until the last child has ended, for [`TERMINATION_TIMEOUT`] at most.
    fn wait_for_children(self) {
        // Nothing is ever sent: this ends when the last sender is dropped.
        if self.all_ended.recv_timeout(TERMINATION_TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            tracing::warn!("a worker process is slow to end");
        }
        drop(self.driver);
    }
}

fn start(context: &ParadigmContext) -> Result<Box<dyn Paradigm>, StartError> {
    let factory_config = context.factory.config().ok_or(StartError::Scripted)?;
    let driver = RuntimeDriver::one_thread("processes", || {}).map_err(StartError::thread)?;
    let (stop, _) = watch::channel(false);
    let (alive, all_ended) = mpsc::channel();
    let processes = ProcessPool {
        shared: SupervisorShared::new(context, factory_config.clone()),
        stop,
        alive,
        thread: Some(SupervisorThread { all_ended, driver }),
    };
    // The first child shows whether the system allows any. The supervising thread starts all of
    // them, because the system takes the starting thread for their parent.
    let (tell, told) = mpsc::channel();
    let shared = Arc::clone(&processes.shared);
    processes.spawn(async move {
        let _unheard = tell.send(shared.start_child());
    });
    let first = told
        .recv()
        .map_err(|_| StartError::SupervisorEnded)
        .and_then(|started| started)?;
    processes.grow(Some(first));
    Ok(Box::new(processes))
}

impl ProcessPool {
    /// Starts a supervisor for every worker that is missing, and gives `first` to one of them.
    fn grow(&self, mut first: Option<SupervisedChild>) {
        while let Some(slot) = self.shared.queue.add_worker() {
            let supervisor = ChildSupervisor::new(&self.shared, slot, first.take());
            let stopped = self.stop.subscribe();
            self.spawn(supervisor.run(stopped, self.alive.clone()));
        }
    }

    /// Runs `future` on the supervising thread.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Some(thread) = &self.thread {
            thread.driver.spawn(future);
        }
    }
}

impl Paradigm for ProcessPool {
    fn submit(&mut self, job: Job) {
        self.shared.queue.push(job);
    }

    fn resize(&mut self, workers: usize) {
        self.shared.queue.set_limit(workers);
        self.grow(None);
    }

    fn census(&self) -> Census {
        // Only the main thread of a child runs checks.
        let children = self.shared.children();
        Census {
            workers: self.shared.queue.limit(),
            running: self.shared.runner.running(),
            queued: self.shared.waiting(),
            threads: children,
            processes: children,
        }
    }

    fn losses(&self) -> Vec<WorkerLoss> {
        self.shared.losses()
    }
}

impl Drop for ProcessPool {
    fn drop(&mut self) {
        self.shared.queue.close();
        self.stop.send_replace(true);
        let (disconnected, _) = mpsc::channel();
        self.alive = disconnected;
        if let Some(thread) = self.thread.take() {
            // The loop that switches paradigms must not block.
            deferred_join::join_later(move || thread.wait_for_children());
        }
    }
}
