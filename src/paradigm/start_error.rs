//! Why a paradigm cannot start.

use std::error::Error;
use std::fmt;
use std::io;

use super::celery::{BrokerError, ServeError};
use super::child::ChildExit;
use super::limits::refusal;

/// Why a paradigm cannot start. The text is one sentence.
#[derive(Debug)]
pub enum StartError {
    /// The operating system refused a thread, a process or a file.
    System {
        /// The consequence, such as "no thread can be started".
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A worker process ended, or did not answer, before it was ready.
    WorkerProcess(ChildExit),
    /// The thread that supervises the worker processes ended.
    SupervisorEnded,
    /// A scripted prober exists in this process only: it cannot be sent to another one.
    Scripted,
    /// The broker cannot be used.
    Broker(BrokerError),
    /// A broker of one's own cannot be started.
    LocalBroker(ServeError),
    /// A broker of one's own needs more open files than the limit allows.
    OpenFiles {
        /// Files that it needs.
        needed: u64,
        /// The limit of this process.
        limit: u64,
    },
}

impl StartError {
    /// No thread can be started.
    pub(super) const fn thread(source: io::Error) -> Self {
        let what = "no thread can be started";
        Self::System { what, source }
    }

    /// No worker process can be started.
    pub(super) const fn process(source: io::Error) -> Self {
        let what = "no worker process can be started";
        Self::System { what, source }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { what, source } => write!(f, "{what}: {}", refusal(source)),
            Self::WorkerProcess(exit) => write!(f, "no worker process can be started: {exit}"),
            Self::SupervisorEnded => {
                f.write_str("no worker process can be started: their supervisor has ended")
            }
            Self::Scripted => f.write_str("scripted probers cannot be sent to other processes"),
            Self::Broker(error) => error.fmt(f),
            Self::LocalBroker(error) => error.fmt(f),
            Self::OpenFiles { needed, limit } => write!(
                f,
                "no broker: one of its own needs {needed} open files, the limit is {limit}"
            ),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System { source, .. } => Some(source),
            // Their texts are this one's: what lies below them is theirs to tell.
            Self::Broker(error) => error.source(),
            Self::LocalBroker(error) => error.source(),
            Self::WorkerProcess(_)
            | Self::SupervisorEnded
            | Self::Scripted
            | Self::OpenFiles { .. } => None,
        }
    }
}

impl From<BrokerError> for StartError {
    fn from(error: BrokerError) -> Self {
        Self::Broker(error)
    }
}
