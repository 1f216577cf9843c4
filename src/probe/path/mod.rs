//! The one path of every check kind to its server: name, address, connection, handshake.
//!
//! [`open`] resolves the host and connects; [`handshake::shake_hands`] speaks TLS on the
//! connection. Both run in the check's own future and note each step in its phase timings.

mod connect;
mod handshake;
mod proxy;
mod socket;
mod stream;
mod stream_head;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use url::Host;

use crate::domain::{ConnectionOptions, Proxy};

use super::names::{self, Addresses, NameError, SystemFiles};
use super::other_tls::OtherTls;
use super::own_fault::Open;
use super::phase_timings::PhaseTimings;
use super::thread_wait;

pub(super) use handshake::shake_hands;
pub(super) use proxy::ProxyFault;
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
    /// The proxy cannot be reached: its name, or the failure that says most.
    NoProxy(Option<io::Error>),
    /// The proxy made no connection to the server.
    Proxy(ProxyFault),
}

/// Whom a connection is wanted to, and how.
#[derive(Clone, Debug)]
pub(super) struct Destination<'a> {
    /// The host of the URL.
    pub(super) host: Host<&'a str>,
    pub(super) port: u16,
    /// Whether a TLS handshake follows.
    pub(super) secure: bool,
    pub(super) options: &'a ConnectionOptions,
}

/// A connection to a server, or through the proxy to it. `deadline` is the check's.
pub(super) async fn open(
    to: Destination<'_>,
    files: &SystemFiles,
    timings: &PhaseTimings,
    deadline: Instant,
) -> Result<Open<Socket>, PathError> {
    let Destination {
        host,
        port,
        secure,
        options,
    } = to;
    let (host, port) = match options.connect_to {
        Some(to) => (literal(to.address), to.port.unwrap_or(port)),
        None => (host, port),
    };
    if let Some(proxy) = &options.proxy {
        let there = (&host, port, secure);
        // In a place of its own: most checks have no proxy.
        return Box::pin(through(proxy, there, files, timings, deadline)).await;
    }
    let addresses = match host {
        Host::Ipv4(address) => Addresses::of_literal(IpAddr::V4(address), options),
        Host::Ipv6(address) => Addresses::of_literal(IpAddr::V6(address), options),
        Host::Domain(name) => {
            timings.dns_started();
            let found = names::resolve(name, files, options, deadline);
            let found = thread_wait::elsewhere(found).await;
            found.inspect(|found| timings.dns_ended(&found.known))
        }
    };
    let addresses = addresses.map_err(PathError::Name)?;
    timings.connect_started();
    let (stream, address) = connect::connect(addresses, port, timings)
        .await
        .map_err(|(address, error)| PathError::Connect(address, error))?;
    timings.connected_to(address.ip(), secure);
    Ok(stream)
}

const fn literal<'a>(address: IpAddr) -> Host<&'a str> {
    match address {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    }
}

/// A connection through `proxy`: its time is that of the phase connect.
async fn through(
    proxy: &Proxy,
    (host, port, secure): (&Host<&str>, u16, bool),
    files: &SystemFiles,
    timings: &PhaseTimings,
    deadline: Instant,
) -> Result<Open<Socket>, PathError> {
    timings.proxy_asked(true);
    timings.connect_started();
    let addresses = match Host::parse(&proxy.host) {
        Ok(Host::Ipv4(address)) => Addresses::complete(vec![address.into()]),
        Ok(Host::Ipv6(address)) => Addresses::complete(vec![address.into()]),
        Ok(Host::Domain(name)) => {
            let found = names::resolve(&name, files, ConnectionOptions::NONE, deadline);
            let found = thread_wait::elsewhere(found).await;
            found.map_err(|_| PathError::NoProxy(None))?
        }
        Err(_) => return Err(PathError::NoProxy(None)),
    };
    let connected = connect::connect(addresses, proxy.port, timings).await;
    let (mut stream, address) = connected.map_err(|(_, error)| PathError::NoProxy(Some(error)))?;
    let asked = proxy::tunnel(&mut stream.socket, proxy, (host, port));
    asked.await.map_err(PathError::Proxy)?;
    timings.proxy_asked(false);
    timings.connected_to(address.ip(), secure);
    Ok(stream)
}
