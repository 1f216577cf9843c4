//! The main function of a child process of `processes`, which has this one thread.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::runtime::Runtime;

use crate::domain::{Clock, SystemClock};
use crate::probe::wire::{self, Hello, Ready, ReceivedTask, WireError};
use crate::probe::{self, Prober, ProberFactory, Start};
use crate::trace::{InstrumentedCheck, InterpreterLock, ThreadSharing};

use super::child_reply::{ChildReply, clock_from};
use super::task_socket::TaskReceiver;
use super::{job_runner, limits};

/// A reply that was held back for so long goes with the next one, so that several go at once.
const HOLD: Duration = Duration::from_millis(6);

/// How long a reply is held back at most: a check that waits longer is woken to send it. Less
/// than the patience of the parent.
const MOST_HOLD: Duration = Duration::from_millis(12);

/// The replies that go at once.
const MOST_HELD: usize = 16;

/// Runs the checks that arrive on standard input, one at a time, and replies on standard output,
/// until the input ends with the parent process.
///
/// # Errors
/// If standard input is not the parent's socket, or the other end does not speak the parent's
/// protocol.
pub fn work_for_parent() -> io::Result<()> {
    // The end of the input is not noticed by a process that is stopped or has a check.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    limits::ensure_files().map_err(io::Error::other)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let input = TaskReceiver::new(io::stdin())?;
    let replies = Replies {
        output: io::stdout().as_fd().try_clone_to_owned()?,
        held: Vec::new(),
        count: 0,
        since: Instant::now(),
    };
    match converse(&runtime, &input, replies) {
        Ok(()) => Ok(()),
        // The parent has ended: the regular end of a child.
        Err(WireError::Io(error)) if is_disconnect(&error) => Ok(()),
        Err(WireError::Io(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn is_disconnect(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

fn converse(
    runtime: &Runtime,
    input: &TaskReceiver,
    mut replies: Replies,
) -> Result<(), WireError> {
    let hello: Hello = input.receive()?;
    if let Ok(name) = CString::new(hello.name) {
        rustix::thread::set_name(&name).map_err(io::Error::from)?;
    }
    let factory = match ProberFactory::without_roots(hello.config) {
        Ok(factory) => factory,
        Err(error) => return replies.say(&Ready::Err(error.to_string())),
    };
    let runner = CheckRunner {
        prober: runtime.block_on(async { factory.prober() }),
        clock: clock_from(hello.origin),
        lock: hello
            .interpreter_lock
            .then(|| Arc::new(InterpreterLock::new())),
        no_name: Arc::default(),
    };
    replies.say(&Ready::Ok(()))?;
    loop {
        let task: ReceivedTask = match input.try_receive()? {
            Some(task) => task,
            None => {
                replies.send()?;
                input.receive()?
            }
        };
        // Not in the middle of its check. Most lists have no site, or nothing but sites, with TLS.
        let url = task.spec.url.expose();
        if url.starts_with("https:") || url.starts_with("tls:") {
            factory.read_roots();
        }
        let reply = {
            let hold = |for_long| replies.before_a_wait(for_long);
            probe::block_on_and(runtime, runner.run(&task), hold)
        };
        replies.add(&reply)?;
    }
}

/// Replies on their way to the parent.
struct Replies {
    output: OwnedFd,
    /// Frames that are held back.
    held: Vec<u8>,
    count: usize,
    /// When the first of them was added.
    since: Instant,
}

impl Replies {
    /// Adds a reply, and sends all of them when they are enough.
    fn add(&mut self, reply: &ChildReply) -> Result<(), WireError> {
        if self.count == 0 {
            self.since = Instant::now();
        }
        wire::append_frame(&mut self.held, reply)?;
        self.count += 1;
        if self.count >= MOST_HELD || self.since.elapsed() >= HOLD {
            self.send()?;
        }
        Ok(())
    }

    /// Before a check waits: sends what was held long enough, or all of it, and says when the rest
    /// is to be sent.
    fn before_a_wait(&mut self, for_long: bool) -> Option<Instant> {
        if self.count == 0 {
            return None;
        }
        let until = self.since + MOST_HOLD;
        if !for_long && Instant::now() < until {
            return Some(until);
        }
        // If nobody reads any more, the next attempt fails as well.
        let _told_later = self.send();
        None
    }

    fn send(&mut self) -> Result<(), WireError> {
        let mut rest = &self.held[..];
        while !rest.is_empty() {
            match rustix::io::write(&self.output, rest) {
                Ok(written) => rest = &rest[written..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        self.held.clear();
        self.count = 0;
        Ok(())
    }

    /// Sends something else than a reply, at once.
    fn say(&mut self, message: &Ready) -> Result<(), WireError> {
        wire::append_frame(&mut self.held, message)?;
        self.send()
    }
}

/// The prober, clock and lock of a child.
struct CheckRunner {
    prober: Prober,
    clock: SystemClock,
    lock: Option<Arc<InterpreterLock>>,
    no_name: Arc<str>,
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
        let mut result = job_runner::run_check(
            &self.prober,
            start,
            &task.spec,
            live.as_ref().map(|live| (live, ThreadSharing::Own)),
        )
        .await;
        // The parent knows the names, which are the same in all replies.
        let who = &mut result.ran_on;
        (who.host, who.thread) = (Arc::clone(&self.no_name), Arc::clone(&self.no_name));
        ChildReply {
            result,
            notes: live.map(|live| live.take_log()),
        }
    }
}
