//! What this machine ran out of, which is never the site's fault.

use std::future::Future;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::thread_wait;

/// How often, and how long each time, a check waits for other checks to close a file.
const FILE_WAITS: u32 = 50;
const FILE_WAIT: Duration = Duration::from_millis(20);

/// ENFILE and EMFILE: the numbers of Linux, as all that follow.
const NO_FILES: [i32; 2] = [23, 24];
const NO_MEMORY: [i32; 2] = [12, 105];
const NO_PORT: i32 = 99;

/// What was wanting when `error` came from a socket to `address`; `None` if nothing was.
///
/// EADDRNOTAVAIL means that all ports are taken, unless the address is of a family that this
/// machine does not have.
pub(super) fn of(error: &io::Error, address: SocketAddr) -> Option<&'static str> {
    match error.raw_os_error()? {
        number if NO_FILES.contains(&number) => Some("this machine is out of open files"),
        number if NO_MEMORY.contains(&number) => Some("this machine is out of memory"),
        NO_PORT if address.is_ipv4() || has_way_to(address) => {
            Some("this machine has no free port")
        }
        _ => None,
    }
}

/// Whether this machine has an address of its own from which `address` could be reached. Nothing
/// is sent for it.
fn has_way_to(address: SocketAddr) -> bool {
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect(address))
        .is_ok()
}

/// Sockets of checks that are open, or are being opened.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// A socket that is counted as one of a check until it is dropped.
#[derive(Debug)]
pub(super) struct Open<T> {
    pub(super) socket: T,
    counted: SocketCount,
}

/// Counts a socket until it is dropped.
#[derive(Debug)]
pub(super) struct SocketCount;

impl SocketCount {
    fn new() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for SocketCount {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T> Open<T> {
    /// The same socket as something else.
    pub(super) fn map<U>(self, to: impl FnOnce(T) -> U) -> Open<U> {
        Open {
            socket: to(self.socket),
            counted: self.counted,
        }
    }

    /// The socket, and what counts it until that is dropped as well.
    pub(super) fn split(self) -> (T, SocketCount) {
        (self.socket, self.counted)
    }
}

/// Opens a socket; while this process may open no more files, waits a while for other checks to
/// close theirs, if any has one.
pub(super) async fn when_files_are_free<T, F>(open: impl Fn() -> F) -> io::Result<Open<T>>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waits = FILE_WAITS;
    loop {
        let counted = SocketCount::new();
        let error = match open().await {
            Ok(socket) => {
                return Ok(Open { socket, counted });
            }
            Err(error) => error,
        };
        drop(counted);
        let files = error.raw_os_error().is_some_and(|n| NO_FILES.contains(&n));
        if !files || waits == 0 || OPEN.load(Ordering::Relaxed) == 0 {
            return Err(error);
        }
        waits -= 1;
        thread_wait::until(Instant::now() + FILE_WAIT).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_files_is_our_own_fault_and_a_refusal_is_not() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let of = |number| of(&io::Error::from_raw_os_error(number), address);
        assert!(of(24).is_some_and(|what| what.contains("open files")));
        assert!(of(99).is_some_and(|what| what.contains("port")));
        assert_eq!(of(111), None);
    }
}
