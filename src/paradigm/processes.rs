//! `processes`: N child processes of this program, each with memory of its own and one
//! check at a time. One thread of this process hands out jobs, takes results in, and
//! replaces the children that die, hang or talk nonsense.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::Job;

use super::driver::Driver;
use super::farewell;
use super::keeper::{Company, Employed, Keeper};
use super::limits::refusal;
use super::{Census, Context, Entry, Label, Law, Loss, Paradigm, Shape, StartError};

/// The entry of the table.
pub(super) const ENTRY: Entry = Entry {
    label: Label {
        key: '4',
        name: "processes",
        summary: "N processes, each with memory of its own",
        law: Law::SumByWorkers,
    },
    default_workers: 4,
    // Two pipes, and the handle by which the system tells of a child's end.
    files_per_worker: 3,
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

/// How long children may take to be gone when nobody needs them any more. They are killed,
/// so that this is the system's own time to tidy up.
const FAREWELL: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Processes {
    company: Arc<Company>,
    /// Tells the keepers to end their children at once.
    stop: watch::Sender<bool>,
    keeping: mpsc::Sender<()>,
    /// `None` only while this is being dropped.
    staff: Option<Staff>,
}

/// The thread that keeps the children.
#[derive(Debug)]
struct Staff {
    /// Every keeper holds the other end for as long as it may have a child.
    kept: mpsc::Receiver<()>,
    driver: Driver,
}

impl Staff {
    /// Waits until the last keeper has let go of its child.
    fn see_off(self) {
        // Nothing is ever sent: this ends when nobody can send any more.
        if self.kept.recv_timeout(FAREWELL) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("a worker process is slow to end");
        }
        drop(self.driver);
    }
}

fn start(context: &Context) -> Result<Box<dyn Paradigm>, StartError> {
    let recipe = context.kit.recipe().ok_or_else(|| {
        StartError("scripted probers cannot be sent to other processes".to_owned())
    })?;
    let driver = Driver::one_thread("processes", || {})
        .map_err(|error| StartError(format!("no thread can be started: {}", refusal(&error))))?;
    let (stop, _) = watch::channel(false);
    let (keeping, kept) = mpsc::channel();
    let processes = Processes {
        company: Company::new(context, recipe.clone()),
        stop,
        keeping,
        staff: Some(Staff { kept, driver }),
    };
    // The first one shows whether there can be any at all. It is started by the thread that
    // starts all of them, because the system takes that thread for their parent.
    let (tell, told) = mpsc::channel();
    let company = Arc::clone(&processes.company);
    processes.spawn(async move {
        let _unheard = tell.send(company.employ());
    });
    let first = told
        .recv()
        .map_err(|_| "its thread has ended".to_owned())
        .and_then(|started| started)
        .map_err(StartError)?;
    processes.grow(Some(first));
    Ok(Box::new(processes))
}

impl Processes {
    /// Starts a keeper for every child that is wanted, and gives `first` to one of them.
    fn grow(&self, mut first: Option<Employed>) {
        while let Some(taker) = self.company.queue.recruit() {
            let keeper = Keeper::new(&self.company, taker, first.take());
            let stopped = self.stop.subscribe();
            self.spawn(keeper.run(stopped, self.keeping.clone()));
        }
    }

    /// Runs `future` on the thread that keeps the children.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Some(staff) = &self.staff {
            staff.driver.spawn(future);
        }
    }
}

impl Paradigm for Processes {
    fn submit(&mut self, job: Job) {
        self.company.queue.push(job);
    }

    fn resize(&mut self, workers: usize) {
        self.company.queue.allow(workers);
        self.grow(None);
    }

    fn census(&self) -> Census {
        // Only the main thread of a child runs checks.
        let children = self.company.children();
        Census {
            workers: self.company.queue.most(),
            running: self.company.desk.running(),
            queued: self.company.queue.len(),
            threads: children,
            processes: children,
        }
    }

    fn losses(&self) -> Vec<Loss> {
        self.company.losses()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.company.queue.close();
        self.stop.send_replace(true);
        let (nobody, _) = mpsc::channel();
        self.keeping = nobody;
        if let Some(staff) = self.staff.take() {
            // The loop that switches paradigms has better things to do than to wait.
            farewell::wait_aside(move || staff.see_off());
        }
    }
}
