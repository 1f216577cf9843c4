//! The main function of a child process of `processes`, which has this one thread.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;

use std::sync::Arc;

use crate::domain::{Clock, SystemClock};
use crate::probe::wire::{self, Hello, Ready, ReceivedTask, WireError};
use crate::probe::{Prober, ProberFactory, Start};
use crate::trace::{InstrumentedCheck, InterpreterLock, ThreadSharing};

use super::child_reply::{ChildReply, clock_from};
use super::{job_runner, limits};

type Input = BufReader<pipe::Receiver>;

/// Runs the checks that arrive on standard input, one at a time, and replies on standard output,
/// until the input ends with the parent process.
///
/// # Errors
/// If standard input and output are not pipes, or the other end does not speak the parent's
/// protocol.
pub fn work_for_parent() -> io::Result<()> {
    // The end of the input is not noticed by a process that is stopped or computes.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    limits::ensure_files().map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let input = pipe::Receiver::from_owned_fd(own(io::stdin())?)?;
        let output = pipe::Sender::from_owned_fd(own(io::stdout())?)?;
        converse(BufReader::new(input), output).await
    });
    match ended {
        Ok(()) => Ok(()),
        // The parent has ended: the regular end of a child.
        Err(WireError::Io(error)) if is_disconnect(&error) => Ok(()),
        Err(WireError::Io(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn own(stream: impl AsFd) -> io::Result<OwnedFd> {
    stream.as_fd().try_clone_to_owned()
}

fn is_disconnect(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe
    )
}

async fn converse(mut input: Input, mut output: pipe::Sender) -> Result<(), WireError> {
    let hello: Hello = wire::receive(&mut input).await?;
    if let Ok(name) = CString::new(hello.name) {
        rustix::thread::set_name(&name).map_err(io::Error::from)?;
    }
    let factory = match ProberFactory::from_config(hello.config) {
        Ok(factory) => factory,
        Err(error) => return wire::send(&mut output, &Ready::Err(error.to_string())).await,
    };
    let runner = CheckRunner {
        prober: factory.prober(),
        clock: clock_from(hello.origin),
        lock: hello
            .interpreter_lock
            .then(|| Arc::new(InterpreterLock::new())),
    };
    wire::send(&mut output, &Ready::Ok(())).await?;
    loop {
        let task: ReceivedTask = wire::receive(&mut input).await?;
        let answer = tokio::select! {
            biased;
            answer = runner.run(&task) => answer,
            // The parent sends nothing before the reply, so it has ended.
            _ = input.fill_buf() => return Ok(()),
        };
        wire::send(&mut output, &answer).await?;
    }
}

/// The prober, clock and lock of a child.
struct CheckRunner {
    prober: Prober,
    clock: SystemClock,
    lock: Option<Arc<InterpreterLock>>,
}

impl CheckRunner {
    async fn run(&self, task: &ReceivedTask) -> ChildReply {
        let now = self.clock.now();
        let start = Start {
            job: task.job,
            moment: now.mono,
            at: now.wall,
        };
        let live = task.traced.then(|| {
            let (clock, lock) = (self.clock, self.lock.clone());
            Arc::new(InstrumentedCheck::new(task.job, now.mono, clock, lock))
        });
        let result = job_runner::run_check(
            &self.prober,
            start,
            &task.spec,
            live.as_ref().map(|live| (live, ThreadSharing::Own)),
        )
        .await;
        ChildReply {
            result,
            notes: live.map(|live| live.take_log()),
        }
    }
}
