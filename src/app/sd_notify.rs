//! Tells the service manager about the program: the protocol of sd_notify(3), datagrams of lines
//! to the socket that `NOTIFY_SOCKET` names. Without that variable nothing is sent.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The socket of the service manager, if there is one.
#[derive(Debug, Default)]
pub struct SdNotify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl SdNotify {
    /// As the environment sets it: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    #[must_use]
    pub fn of_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let connected = address(name.as_bytes())
                .and_then(|address| Ok((UnixDatagram::unbound()?, address)));
            connected
                .inspect_err(|error| tracing::warn!("no service manager at {name:?}: {error}"))
                .ok()
        });
        let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC")
            .filter(|micros| ours && *micros > 0 && socket.is_some())
            // Twice in each watchdog period, as sd_watchdog_enabled(3) recommends.
            .map(|micros| Duration::from_micros(micros) / 2);
        Self { socket, watchdog }
    }

    /// The period of [`SdNotify::alive`]: half of the watchdog's; `None` without a watchdog.
    #[must_use]
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    fn say(&self, text: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::debug!("the service manager does not hear: {error}");
        }
    }

    /// Says that start or reload is complete, with a status line for people.
    pub fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={status}"));
    }

    /// Says that the configuration is being read again; [`SdNotify::ready`] ends that.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// Sends a status line for people.
    pub fn status(&self, status: &str) {
        self.say(&format!("STATUS={status}"));
    }

    /// Sends the sign of life that the watchdog expects.
    pub fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    /// Says that the program ends.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }
}

/// The address of a socket: a path, or with a leading `@` a name of the abstract namespace
/// (unix(7)).
fn address(name: &[u8]) -> io::Result<SocketAddr> {
    match name {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        path => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path)),
    }
}
