//! The signals that end a command before its end.

use std::fmt;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::domain::plain_io_error;

/// The system does not deliver signals to handlers.
#[derive(Debug)]
pub(super) struct SignalsError(io::Error);

impl fmt::Display for SignalsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signals cannot be received: {}", plain_io_error(&self.0))
    }
}

impl std::error::Error for SignalsError {}

/// SIGINT, SIGTERM and SIGHUP.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Handles these signals from now on, in place of their default.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn listen() -> Result<Self, SignalsError> {
        Self::of_system().map_err(SignalsError)
    }

    fn of_system() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next one.
    pub(super) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = self.hangup.recv() => 1,
        }
    }
}
