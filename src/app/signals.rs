//! The signals that end the screen in order, so that the terminal is given back, beside those
//! that end a monitor whoever watches it (SIGINT, SIGTERM, SIGHUP).

use std::future::poll_fn;
use std::io;
use std::ops::RangeInclusive;
use std::task::Poll;

use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

/// All whose default is to end a process and that a program can handle safely: it is nobody's
/// business to know which of them a script, a limit or a supervisor sends. Not among them are
/// SIGSEGV, SIGBUS, SIGILL and SIGFPE, which say that an instruction cannot be executed: it would be
/// executed again behind a handler that only takes note, for ever, and one that does more, or that
/// replaces the one of the Rust runtime for overflows of the stack, takes `unsafe` code.
const ENDING: [Signal; 13] = [
    Signal::QUIT,
    Signal::ABORT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::IO,
    Signal::POWER,
    Signal::STKFLT,
    Signal::TRAP,
    Signal::SYS,
];

/// The real-time signals, which end a process as well (signal(7)). The C library keeps the first of
/// the system's for itself: glibc two, musl three.
const REAL_TIME: RangeInclusive<i32> = if cfg!(target_env = "gnu") {
    34..=64
} else {
    35..=64
};

/// These signals, handled from now on in place of their default.
pub(super) struct EndSignals {
    ending: Vec<(u8, unix::Signal)>,
    /// SIGXFSZ, which is not waited for: with a handler, a write past the limit of a file's size
    /// fails like any other, and the history says so.
    _too_large: unix::Signal,
}

impl EndSignals {
    /// Handles them.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn listen() -> io::Result<Self> {
        let listen = |number: i32| signal(SignalKind::from_raw(number));
        let named = ENDING.into_iter().map(Signal::as_raw);
        let ending = named.chain(REAL_TIME).map(|number| {
            let short = u8::try_from(number).map_err(io::Error::other)?;
            Ok((short, listen(number)?))
        });
        Ok(Self {
            ending: ending.collect::<io::Result<_>>()?,
            _too_large: listen(Signal::XFSZ.as_raw())?,
        })
    }

    /// The number of the next one. Cancellation safe.
    pub(super) async fn next(&mut self) -> u8 {
        poll_fn(|context| {
            let mut come = self.ending.iter_mut().filter_map(|(number, signal)| {
                match signal.poll_recv(context) {
                    Poll::Ready(Some(())) => Some(*number),
                    _ => None,
                }
            });
            come.next().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
