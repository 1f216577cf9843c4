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

use super::answer::Answer;

/// How long a child may take to be ready; a machine that is busy with others included.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How long after its timeout a check may still be answered.
const GRACE: Duration = Duration::from_secs(2);

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
pub(super) enum Broken {
    /// It is gone.
    Ended,
    /// It gave no answer for so long.
    Silent(Duration),
    /// What it said is no answer.
    Rubbish,
    /// It said itself why it cannot work.
    Refused(String),
    /// Nothing: it was not even asked, because what to say does not fit into a message.
    NotAsked,
}

impl From<WireError> for Broken {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Io(_) => Self::Ended,
            WireError::Garbled => Self::Rubbish,
            WireError::TooLong => Self::NotAsked,
        }
    }
}

/// What became of a child, in words that follow "a worker process died: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Death {
    broken: Broken,
    status: Option<ExitStatus>,
}

impl Death {
    /// That of a child whose end nobody waited for.
    pub(super) const fn unseen(broken: Broken) -> Self {
        Self {
            broken,
            status: None,
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.broken {
            Broken::Silent(within) => write!(f, "it gave no answer within {}", brief(*within)),
            Broken::Rubbish => f.write_str("what it answered cannot be read"),
            Broken::Refused(why) => f.write_str(why),
            Broken::NotAsked => f.write_str("what it is to be told does not fit into a message"),
            Broken::Ended => match self.status.map(|status| (status.signal(), status.code())) {
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
    pub(super) async fn greet(&mut self, hello: &Hello) -> Result<(), Broken> {
        let greeting = async {
            wire::send(&mut self.input, hello).await?;
            wire::receive::<Ready>(&mut self.output).await
        };
        match tokio::time::timeout(READY_WITHIN, greeting).await {
            Ok(ready) => ready?.map_err(Broken::Refused),
            Err(_) => Err(Broken::Silent(READY_WITHIN)),
        }
    }

    /// Its process id; `None` once it has been reaped.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Has it carry out a check, with notes of every poll if it is `traced`.
    pub(super) async fn ask(
        &mut self,
        job: JobId,
        spec: &CheckSpec,
        traced: bool,
    ) -> Result<Answer, Broken> {
        let within = spec.timeout + GRACE;
        let conversation = async {
            let task = Task { job, spec, traced };
            wire::send(&mut self.input, &task).await?;
            wire::receive::<Answer>(&mut self.output).await
        };
        match tokio::time::timeout(within, conversation).await {
            Ok(answer) => {
                let answer = answer?;
                let result = &answer.result;
                let own = result.job == job && Some(result.ran_on.pid) == self.process.id();
                own.then_some(answer).ok_or(Broken::Rubbish)
            }
            Err(_) => Err(Broken::Silent(within)),
        }
    }

    /// Waits, while it has nothing to do, for something to be wrong with it.
    pub(super) async fn stir(&mut self) -> Broken {
        match self.output.fill_buf().await {
            Ok([_, ..]) => Broken::Rubbish,
            Ok([]) | Err(_) => Broken::Ended,
        }
    }

    /// Ends it, and waits until nothing is left of it.
    pub(super) async fn end(&mut self, broken: Broken) -> Death {
        // Fails only for one that has ended already, whose status stays what it was.
        let _ended_already = self.process.start_kill();
        Death {
            broken,
            status: self.process.wait().await.ok(),
        }
    }
}
