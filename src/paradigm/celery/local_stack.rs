//! The local stack: a broker and two workers that this program starts if no broker is
//! configured, restarts when they die, and ends with itself.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Resource, getrlimit, test_kill_process};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::level_filters::LevelFilter;
use uuid::Uuid;

use crate::domain::MaskedUrl;
use crate::paradigm::{QueueOptions, StartError};
use crate::runtime::own_program;

use super::redis_server::{self, BrokerOptions};
use super::sealed_options::KEY_VARIABLE;

/// The prefix of the folder of a private broker; the owner's process id follows.
const PREFIX: &str = "squirrel-broker-";

/// The least limit of open files: Redis reserves 32 and does not start without some for clients.
const MIN_OPEN_FILES: u64 = 64;

/// A process that lives shorter than this is restarted after a growing delay.
const MIN_LIFETIME: Duration = Duration::from_secs(2);

/// The plan of a broker and its workers.
#[derive(Debug)]
pub(super) struct LocalStack {
    broker: BrokerOptions,
    queue: QueueOptions,
    concurrency: usize,
}

impl LocalStack {
    /// Plans the stack and chooses the broker's folder.
    ///
    /// # Errors
    /// If no server is installed, or the limit of open files is too low for one.
    pub(super) fn plan(queue: &QueueOptions, workers: usize) -> Result<Self, StartError> {
        redis_server::find().map_err(StartError::LocalBroker)?;
        let files = getrlimit(Resource::Nofile).current;
        if let Some(files) = files.filter(|files| *files < MIN_OPEN_FILES) {
            return Err(StartError::OpenFiles {
                needed: MIN_OPEN_FILES,
                limit: files,
            });
        }
        let above = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|folder| folder.is_dir())
            .unwrap_or_else(std::env::temp_dir);
        remove_orphaned(&above);
        let own = std::process::id();
        let unique = Uuid::new_v4().simple().to_string();
        let broker = BrokerOptions {
            folder: above.join(format!("{PREFIX}{own}-{}", &unique[..8])),
            parent: Some(own),
        };
        Ok(Self {
            broker,
            queue: queue.clone(),
            // The producer limits the checks in flight.
            concurrency: workers.max(1_000),
        })
    }

    pub(super) fn url(&self) -> MaskedUrl {
        self.broker.url()
    }

    /// Starts the processes and restarts them until `stop` is `true`. `ended_all` is dropped when
    /// all have ended.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>, ended_all: mpsc::Sender<()>) {
        {
            let broker = keep_running("broker", || self.broker());
            let workers = async {
                let one = keep_running("worker", || self.worker(1));
                let other = keep_running("worker", || self.worker(2));
                // One thread starts all of them and lives as long as they do: the system takes
                // that thread for their parent.
                tokio::join!(one, other);
            };
            tokio::select! {
                // An error says that the sender is gone.
                _ = stop.wait_for(|stop| *stop) => {}
                _ = async { tokio::join!(broker, workers) } => {}
            }
        }
        if let Err(error) = std::fs::remove_dir_all(&self.broker.folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("{} stays: {error}", self.broker.folder.display());
        }
        drop(ended_all);
    }

    fn broker(&self) -> io::Result<Child> {
        let mut command = Command::from(own_program()?);
        command
            .arg("broker")
            .arg("--folder")
            .arg(&self.broker.folder);
        spawn(command)
    }

    fn worker(&self, number: usize) -> io::Result<Child> {
        let mut command = Command::from(own_program()?);
        command
            .args(["worker", "--workloads"])
            .arg(format!("--broker={}", self.url().expose()))
            .arg(format!("--queue={}", self.queue.name))
            .arg(format!("--concurrency={}", self.concurrency))
            .arg(format!(
                "--hostname=squirrel-{number}@{}",
                crate::trace::here().host
            ))
            .arg(format!(
                "--visibility-timeout={}ms",
                self.queue.visibility_timeout().as_millis()
            ))
            .arg(format!(
                "--result-expires={}ms",
                self.queue.result_expires.as_millis()
            ));
        if let Some(key) = &self.queue.key {
            command.env(KEY_VARIABLE, key.expose());
        }
        spawn(command)
    }
}

fn spawn(mut command: Command) -> io::Result<Child> {
    command
        .arg(format!("--parent={}", std::process::id()))
        .arg(format!("--log-level={}", LevelFilter::current()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // The terminal belongs to this process, and so do the keys pressed there.
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// A process that is killed and reaped when this is dropped.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ended_already = self.0.start_kill();
        let deadline = std::time::Instant::now() + Duration::from_secs(1);
        while matches!(self.0.try_wait(), Ok(None)) && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Starts a process, and restarts it whenever it ends.
async fn keep_running(what: &str, start: impl Fn() -> io::Result<Child>) {
    let mut pause = Duration::from_millis(50);
    loop {
        let began = Instant::now();
        match start() {
            Ok(child) => {
                let mut child = KillOnDrop(child);
                let ended = child.0.wait().await;
                tracing::warn!("a {what} ended: {ended:?}");
            }
            Err(error) => tracing::warn!("no {what} can be started: {error}"),
        }
        if began.elapsed() > MIN_LIFETIME {
            pause = Duration::from_millis(50);
        } else {
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        sleep(pause).await;
    }
}

/// Removes the folders of brokers whose owner has ended without removing them.
fn remove_orphaned(above: &Path) {
    let Ok(entries) = std::fs::read_dir(above) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok())
            .and_then(Pid::from_raw);
        if let Some(owner) = owner
            && test_kill_process(owner) == Err(rustix::io::Errno::SRCH)
        {
            // The folder of another user cannot be removed.
            let _not_ours = std::fs::remove_dir_all(entry.path());
        }
    }
}
