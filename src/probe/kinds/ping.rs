//! `ping://HOST`: an ICMP echo (RFC 792, RFC 4443 section 4) on a datagram socket, which needs no
//! privilege where the kernel allows it (`net.ipv4.ping_group_range`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use tokio::net::UdpSocket;
use url::Host;

use crate::domain::{CheckKind, Reason, plain_io_error, plural};

use super::super::classify::{self, Failure};
use super::super::names;
use super::super::own_fault::{self, Open};
use super::super::thread_wait;
use super::{Answered, Asked, KindEntry};

/// Its entry.
pub(super) const KIND: KindEntry = KindEntry {
    kind: CheckKind::Ping,
    check: |asked| -> Answered<'_> { Box::pin(thread_wait::elsewhere(check(asked))) },
};

/// Requests that are sent, at equal times within the timeout: one may be lost.
const REQUESTS: u32 = 3;

/// The types of requests and replies, of both versions.
const ECHO: [u8; 2] = [8, 128];
const REPLY: [u8; 2] = [0, 129];

async fn check(asked: Asked<'_>) -> Result<String, Failure> {
    let options = &asked.spec.options().connection;
    let addresses = match asked.host()? {
        Host::Ipv4(address) => vec![IpAddr::V4(address)],
        Host::Ipv6(address) => vec![IpAddr::V6(address)],
        Host::Domain(name) => {
            asked.timings.dns_started();
            let found = names::resolve(&name, &asked.shared.files, options, asked.deadline).await;
            let found = found.map_err(|error| classify::name(&error))?;
            asked.timings.dns_ended(&found.known);
            found.known
        }
    };
    let mut failure = None;
    for address in addresses {
        match ping(asked, address).await {
            Ok(()) => return Ok(format!("{address} answered")),
            Err(failed) => failure = Some(failure.unwrap_or(failed)),
        }
    }
    Err(failure.unwrap_or_else(|| Failure::new(Reason::Internal, "there is no address")))
}

async fn ping(asked: Asked<'_>, address: IpAddr) -> Result<(), Failure> {
    let open = || async move { open(address) };
    let open: Open<UdpSocket> = own_fault::when_files_are_free(open)
        .await
        .map_err(|error| unopened(&error, address))?;
    let socket = &open.socket;
    asked.timings.connected_to(address, false);
    let left = asked.deadline.saturating_duration_since(Instant::now());
    let each = left / (REQUESTS + 1);
    let mut failed: Option<io::Error> = None;
    for number in 0..REQUESTS {
        if let Err(error) = socket.send(&request(address, number)).await {
            return Err(unreachable(&error, address));
        }
        let end = Instant::now() + each;
        match reply_to(socket, address, end).await {
            Some(Ok(())) => {
                asked.timings.answered();
                return Ok(());
            }
            Some(Err(error)) => {
                // A router says so; a later request may find another way.
                failed = Some(error);
                tokio::time::sleep_until(end.into()).await;
            }
            None => {}
        }
    }
    match failed {
        Some(error) => Err(unreachable(&error, address)),
        None => {
            let why = format!(
                "no reply from {address} to {}",
                plural(REQUESTS as usize, "request")
            );
            Err(Failure::new(Reason::Timeout, why))
        }
    }
}

/// A socket that sends echoes to the address and takes their replies alone.
fn open(address: IpAddr) -> io::Result<UdpSocket> {
    let (family, protocol) = match address {
        IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
        IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::DGRAM, flags, Some(protocol))?;
    let socket = std::net::UdpSocket::from(socket);
    socket.connect(SocketAddr::new(address, 0))?;
    UdpSocket::from_std(socket)
}

/// The message of a request; the kernel fills in its identifier and its checksum.
fn request(address: IpAddr, number: u32) -> [u8; 16] {
    let mut message = [0; 16];
    message[0] = ECHO[usize::from(address.is_ipv6())];
    message[6..8].copy_from_slice(&(number as u16).to_be_bytes());
    message[8..].copy_from_slice(b"squirrel");
    message
}

/// Waits for a reply; `None` where none comes in time.
async fn reply_to(socket: &UdpSocket, address: IpAddr, end: Instant) -> Option<io::Result<()>> {
    let reply = async {
        let mut message = [0; 64];
        loop {
            let length = socket.recv(&mut message).await?;
            if length > 0 && message[0] == REPLY[usize::from(address.is_ipv6())] {
                return Ok(());
            }
        }
    };
    tokio::time::timeout_at(end.into(), reply).await.ok()
}

fn unopened(error: &io::Error, address: IpAddr) -> Failure {
    if let Some(what) = own_fault::of(error, SocketAddr::new(address, 0)) {
        return classify::could_not(what);
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => classify::could_not(
            "the kernel allows no ping: this user is not in net.ipv4.ping_group_range",
        ),
        io::ErrorKind::Unsupported => classify::could_not("the kernel has no sockets for ping"),
        _ if matches!(error.raw_os_error(), Some(93 | 94 | 97)) => {
            classify::could_not("the kernel has no sockets for ping")
        }
        _ => unreachable(error, address),
    }
}

fn unreachable(error: &io::Error, address: IpAddr) -> Failure {
    if let Some(what) = own_fault::of(error, SocketAddr::new(address, 0)) {
        return classify::could_not(what);
    }
    let why = format!("{address} cannot be reached: {}", plain_io_error(error));
    Failure::new(Reason::Unreachable, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_echo_of_its_version() {
        let four = request("127.0.0.1".parse().unwrap(), 2);
        assert_eq!((four[0], &four[6..8]), (8, &[0, 2][..]));
        assert_eq!(request("::1".parse().unwrap(), 0)[0], 128);
    }
}
