//! The one path of every check kind to its server: name, address, connection, handshake.
//!
//! [`open`] resolves the host and connects; [`handshake::shake_hands`] speaks TLS on the
//! connection. Both run in the check's own future and note each step in its phase timings.

mod connect;
mod handshake;
mod socket;
mod stream;
mod stream_head;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use url::Host;

use super::names::{self, Addresses, NameError, SystemFiles};
use super::other_tls::OtherTls;
use super::own_fault::Open;
use super::phase_timings::PhaseTimings;
use super::thread_wait;

pub(super) use handshake::shake_hands;
pub(super) use socket::Socket;
pub(super) use stream::Stream;

/// Why a server could not be reached.
#[derive(Debug)]
pub(super) enum PathError {
    /// Its name has no address here.
    Name(NameError),
    /// No connection was made: the failure that says most, of the address it came from.
    Connect(SocketAddr, io::Error),
    /// The TLS handshake failed.
    Handshake(io::Error),
    /// The server speaks kinds of TLS alone that this program does not.
    OtherTls(OtherTls),
    /// The host's name cannot stand in a TLS handshake.
    HostName,
}

/// A connection to `port` of `host`, for a TLS handshake (`secure`) or not. `deadline` is the
/// check's.
pub(super) async fn open(
    host: Host<&str>,
    port: u16,
    secure: bool,
    files: &SystemFiles,
    timings: &PhaseTimings,
    deadline: Instant,
) -> Result<Open<Socket>, PathError> {
    let addresses = match host {
        Host::Ipv4(address) => Addresses::complete(vec![IpAddr::V4(address)]),
        Host::Ipv6(address) => Addresses::complete(vec![IpAddr::V6(address)]),
        Host::Domain(name) => {
            timings.dns_started();
            let found = thread_wait::elsewhere(names::resolve(name, files, deadline)).await;
            let found = found.map_err(PathError::Name)?;
            timings.dns_ended(&found.known);
            found
        }
    };
    timings.connect_started();
    let (stream, address) = connect::connect(addresses, port, timings)
        .await
        .map_err(|(address, error)| PathError::Connect(address, error))?;
    timings.connected_to(address.ip(), secure);
    Ok(stream)
}
