//! A child process as its parent sees it: started, given checks, killed, reaped.

use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{self, ChildStdout, Command};
use tracing::level_filters::LevelFilter;

use crate::domain::{CheckSpec, JobId, brief};
use crate::probe::wire::{self, Hello, Ready, ReceivedTask, Task, WireError};
use crate::runtime::own_program;

use super::child_reply::ChildReply;
use super::jobs_ahead::JobsAhead;
use super::task_socket::TaskSender;

/// How long a child may take to be ready, on a busy machine too.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long after the timeout of its check the child's reply is awaited.
const REPLY_MARGIN: Duration = Duration::from_secs(2);

/// A check that takes longer is no quick one: no other waits behind it for the same child.
const PATIENCE: Duration = Duration::from_millis(20);

/// A child process that runs checks. Dropping it kills the process; [`Child::end`] waits for its
/// end, too.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    tasks: TaskSender,
    output: BufReader<ChildStdout>,
}

/// Why a child gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChildFailure {
    /// It ended, or closed its pipes.
    Ended,
    /// It did not reply within this time.
    TimedOut(Duration),
    /// Its reply cannot be read, or is for another check.
    InvalidReply,
    /// It replied to the handshake that it cannot work, and why.
    Refused(String),
    /// The task exceeds the size of a message and was not sent; the child is intact.
    TaskTooLong,
}

impl From<WireError> for ChildFailure {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Io(_) => Self::Ended,
            WireError::Garbled => Self::InvalidReply,
            WireError::TooLong => Self::TaskTooLong,
        }
    }
}

/// How a worker process ended. The text follows "a worker process died: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildExit {
    failure: ChildFailure,
    status: Option<ExitStatus>,
}

impl ChildExit {
    /// The exit of a child that was not waited for.
    pub(super) const fn without_status(failure: ChildFailure) -> Self {
        Self {
            failure,
            status: None,
        }
    }
}

impl fmt::Display for ChildExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            ChildFailure::TimedOut(within) => {
                write!(f, "it gave no answer within {}", brief(*within))
            }
            ChildFailure::InvalidReply => f.write_str("its answer cannot be read"),
            ChildFailure::Refused(why) => f.write_str(why),
            ChildFailure::TaskTooLong => f.write_str("its task does not fit into a message"),
            ChildFailure::Ended => match self.status.map(|status| (status.signal(), status.code()))
            {
                Some((Some(signal), _)) => write!(f, "killed by signal {signal}"),
                Some((None, Some(code))) => write!(f, "it ended with exit status {code}"),
                _ => f.write_str("it ended"),
            },
        }
    }
}

impl Child {
    /// Starts a child, which needs a [`Child::handshake`] before the first check.
    ///
    /// # Errors
    /// If the operating system refuses the process or its pipes.
    pub(super) fn start() -> io::Result<Self> {
        let (tasks, input) = TaskSender::pair()?;
        let mut process = Command::from(own_program()?)
            .arg("worker")
            .arg("--child")
            .arg(format!("--log-level={}", LevelFilter::current()))
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            // The terminal belongs to the parent, and so do the keys pressed there.
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        match process.stdout.take() {
            Some(output) => Ok(Self {
                process,
                tasks,
                output: BufReader::new(output),
            }),
            None => Err(io::Error::other("it has no pipe")),
        }
    }

    /// Sends `hello` and waits until the child is ready.
    pub(super) async fn handshake(&mut self, hello: &Hello) -> Result<(), ChildFailure> {
        let handshake = async {
            self.tasks.send(hello).await?;
            wire::receive::<Ready>(&mut self.output).await
        };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(ready) => ready?.map_err(ChildFailure::Refused),
            Err(_) => Err(ChildFailure::TimedOut(HANDSHAKE_TIMEOUT)),
        }
    }

    /// Its process id; `None` once it has been reaped.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Gives the idle child a check to run; `traced` asks for the log of its polls.
    pub(super) async fn give(
        &self,
        job: JobId,
        spec: &CheckSpec,
        traced: bool,
    ) -> Result<(), ChildFailure> {
        let within = spec.timeout + REPLY_MARGIN;
        let task = Task::new(job, spec, traced);
        let giving = self.tasks.send(&task);
        match tokio::time::timeout(within, giving).await {
            Ok(given) => Ok(given?),
            Err(_) => Err(ChildFailure::TimedOut(within)),
        }
    }

    /// Gives the child a check to run after those that it has, if there is room for it.
    pub(super) fn give_ahead(&self, job: JobId, spec: &CheckSpec) -> bool {
        let traced = false;
        let given = self.tasks.try_send(&Task::new(job, spec, traced));
        given.is_ok_and(|given| given)
    }

    /// Whether the next reply has to be waited for.
    pub(super) fn has_no_reply(&self) -> bool {
        self.output.buffer().is_empty()
    }

    /// Waits for the reply to the first check that the child has. Where that is no quick one,
    /// those that are ready behind it go back into the queue.
    pub(super) async fn reply(
        &mut self,
        job: JobId,
        spec: &CheckSpec,
        ahead: &mut JobsAhead,
    ) -> Result<ChildReply, ChildFailure> {
        let pid = self.process.id();
        if let Some(reply) = self.reply_that_is_here() {
            return own(reply?, job, pid);
        }
        let within = spec.timeout + REPLY_MARGIN;
        let reply = wire::receive::<ChildReply>(&mut self.output);
        let mut reply = pin!(tokio::time::timeout(within, reply));
        let come = loop {
            if ahead.is_empty() {
                break reply.await;
            }
            tokio::select! {
                biased;
                come = &mut reply => break come,
                () = tokio::time::sleep(PATIENCE) => {}
            }
            // A child that has not begun waits for a processor: that is not the check's fault.
            let first = self.tasks.first::<ReceivedTask>();
            if first.is_none_or(|first| first.job != job) {
                let taken = self.tasks.take_back::<ReceivedTask>();
                ahead.put_back(|job| taken.iter().any(|task| task.job == job));
                break reply.await;
            }
        };
        match come {
            Ok(reply) => own(reply?, job, pid),
            Err(_) => Err(ChildFailure::TimedOut(within)),
        }
    }

    /// The next reply if all of it was read with those before.
    fn reply_that_is_here(&mut self) -> Option<Result<ChildReply, WireError>> {
        let here = self.output.buffer();
        let length = wire::frame_length(here).ok()?;
        let reply = wire::read_frame(here.get(..length)?);
        self.output.consume(length);
        Some(reply)
    }

    /// Waits until the idle child ends or sends something unasked.
    pub(super) async fn wait_for_failure(&mut self) -> ChildFailure {
        match self.output.fill_buf().await {
            Ok([_, ..]) => ChildFailure::InvalidReply,
            Ok([]) | Err(_) => ChildFailure::Ended,
        }
    }

    /// Kills the child and waits until it is reaped.
    pub(super) async fn end(&mut self, failure: ChildFailure) -> ChildExit {
        // Fails only if it has ended already; its status is unchanged then.
        let _ended_already = self.process.start_kill();
        ChildExit {
            failure,
            status: self.process.wait().await.ok(),
        }
    }
}

/// The reply, if it is to this check and of this process.
fn own(reply: ChildReply, job: JobId, pid: Option<u32>) -> Result<ChildReply, ChildFailure> {
    let result = &reply.result;
    let own = result.job == job && Some(result.ran_on.pid) == pid;
    own.then_some(reply).ok_or(ChildFailure::InvalidReply)
}
