//! One child process, as its parent sees it: started, asked, ended, reaped.

use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{self, ChildStdin, ChildStdout, Command};
use tracing::level_filters::LevelFilter;

use crate::domain::{CheckSpec, JobId, brief};
use crate::probe::wire::{self, Hello, Ready, Task, WireError};

use super::child_reply::ChildReply;

/// How long a child may take to be ready; a machine that is busy with others included.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long after its timeout a check may still be answered.
const REPLY_MARGIN: Duration = Duration::from_secs(2);

/// This very program, also when its file has been replaced by a newer one meanwhile.
const SELF: &str = "/proc/self/exe";

/// A child process that carries out checks. Killed when it is dropped; [`Child::end`] waits
/// for its end as well.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Why a child is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChildFailure {
    /// It is gone.
    Ended,
    /// It gave no answer for so long.
    TimedOut(Duration),
    /// What it said is no answer.
    InvalidReply,
    /// It said itself why it cannot work.
    Refused(String),
    /// Nothing: it was not even asked, because what to say does not fit into a message.
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
    /// That of a child whose end nobody waited for.
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
            ChildFailure::InvalidReply => f.write_str("what it answered cannot be read"),
            ChildFailure::Refused(why) => f.write_str(why),
            ChildFailure::TaskTooLong => {
                f.write_str("what it is to be told does not fit into a message")
            }
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
    /// Starts one; it is of use once it has been greeted.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn start() -> io::Result<Self> {
        let mut command = if Path::new(SELF).exists() {
            Command::new(SELF)
        } else {
            Command::new(std::env::current_exe()?)
        };
        let mut process = command
            .arg0("squirrel")
            .arg("worker")
            .arg("--child")
            .arg(format!("--log-level={}", LevelFilter::current()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The terminal belongs to the parent, and so do the keys pressed there.
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self {
                process,
                input,
                output: BufReader::new(output),
            }),
            _ => Err(io::Error::other("it has no pipes")),
        }
    }

    /// Tells it who it is, and waits until it is ready.
    pub(super) async fn handshake(&mut self, hello: &Hello) -> Result<(), ChildFailure> {
        let handshake = async {
            wire::send(&mut self.input, hello).await?;
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

    /// Has it carry out a check, with notes of every poll if it is `traced`.
    pub(super) async fn run_check(
        &mut self,
        job: JobId,
        spec: &CheckSpec,
        traced: bool,
    ) -> Result<ChildReply, ChildFailure> {
        let within = spec.timeout + REPLY_MARGIN;
        let conversation = async {
            let task = Task { job, spec, traced };
            wire::send(&mut self.input, &task).await?;
            wire::receive::<ChildReply>(&mut self.output).await
        };
        match tokio::time::timeout(within, conversation).await {
            Ok(answer) => {
                let answer = answer?;
                let result = &answer.result;
                let own = result.job == job && Some(result.ran_on.pid) == self.process.id();
                own.then_some(answer).ok_or(ChildFailure::InvalidReply)
            }
            Err(_) => Err(ChildFailure::TimedOut(within)),
        }
    }

    /// Waits, while it has nothing to do, for something to be wrong with it.
    pub(super) async fn wait_for_failure(&mut self) -> ChildFailure {
        match self.output.fill_buf().await {
            Ok([_, ..]) => ChildFailure::InvalidReply,
            Ok([]) | Err(_) => ChildFailure::Ended,
        }
    }

    /// Ends it, and waits until nothing is left of it.
    pub(super) async fn end(&mut self, failure: ChildFailure) -> ChildExit {
        // Fails only for one that has ended already, whose status stays what it was.
        let _ended_already = self.process.start_kill();
        ChildExit {
            failure,
            status: self.process.wait().await.ok(),
        }
    }
}
