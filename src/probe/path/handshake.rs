//! The TLS handshake on a connection (RFC 8446), with the server's certificate kept.

use std::io;
use std::sync::Arc;

use rustls::pki_types::{DnsName, ServerName};
use rustls::{AlertDescription, ClientConfig, Error, PeerMisbehaved};
use tokio_rustls::TlsConnector;
use url::Host;

use super::super::other_tls::{self, OtherTls};
use super::super::own_fault::{self, Open};
use super::super::phase_timings::PhaseTimings;
use super::super::tls::{Handshake, Tls};
use super::stream_head::FirstBytes;
use super::{PathError, Socket, Stream};
use crate::domain::ConnectionOptions;

/// Shakes hands as a client that wants `host`. The server's certificate stands in `timings`
/// afterwards, whether it was good or not.
pub(in super::super) async fn shake_hands(
    stream: Open<Socket>,
    (host, options): (Host<&str>, &ConnectionOptions),
    tls: &Tls,
    timings: &Arc<PhaseTimings>,
) -> Result<Stream, PathError> {
    let wanted = |host| Handshake {
        timings,
        host,
        options,
    };
    let address = stream.socket.peer_addr();
    // A name that TLS cannot ask for (RFC 6066 section 3), such as one with a hyphen at an end: the
    // server shows what it shows to whoever asks for no name.
    let mut unaskable = None;
    let name = match host {
        Host::Ipv4(address) => ServerName::IpAddress(address.into()),
        Host::Ipv6(address) => ServerName::IpAddress(address.into()),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            match (DnsName::try_from(name), &address) {
                (Ok(name), _) => ServerName::DnsName(name.to_owned()),
                (Err(_), Ok(address)) => {
                    unaskable = Some(name);
                    ServerName::IpAddress(address.ip().into())
                }
                (Err(_), Err(_)) => return Err(PathError::HostName),
            }
        }
    };
    let failed = match once(stream, name.clone(), tls.config(wanted(unaskable))).await {
        Ok(stream) => {
            timings.tls_ended();
            return Ok(stream);
        }
        Err(_) if unaskable.is_some() && !timings.refused_certificate() => {
            return Err(PathError::HostName);
        }
        Err(failed) => failed,
    };
    // What is wrong with its certificate is the server's fault whatever it speaks.
    let other = failed.other.filter(|_| !timings.refused_certificate());
    // Behind a proxy there is no other way to ask it.
    let address = address.ok().filter(|_| options.proxy.is_none());
    let (Some(other), Some(address)) = (other, address) else {
        return Err(PathError::Handshake(failed.error));
    };
    // It may have preferred what it was offered besides to what both speak.
    let again = own_fault::when_files_are_free(|| Socket::connect(address));
    if failed.was_offered
        && let Ok(stream) = again.await
    {
        match once(stream, name, tls.own_config(wanted(unaskable))).await {
            Ok(stream) => {
                timings.tls_ended();
                return Ok(stream);
            }
            Err(failed) if timings.refused_certificate() => {
                return Err(PathError::Handshake(failed.error));
            }
            Err(_) => {}
        }
    }
    Err(PathError::OtherTls(other))
}

/// Why there is no TLS on a connection.
struct Failed {
    error: io::Error,
    /// The kind of TLS that the server speaks instead.
    other: Option<OtherTls>,
    /// Whether it took that because it was offered.
    was_offered: bool,
}

async fn once(
    stream: Open<Socket>,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
) -> Result<Stream, Failed> {
    let (stream, counted) = stream.split();
    // What is written goes out at once; otherwise the request would wait until the server has
    // acknowledged the end of the handshake.
    if let Err(error) = stream.set_nodelay() {
        return Err(Failed {
            error,
            other: None,
            was_offered: false,
        });
    }
    let connector = TlsConnector::from(config);
    let shaking = connector.connect(name, FirstBytes::of(stream));
    match shaking.into_fallible().await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream), counted)),
        Err((error, stream)) => {
            let inner = error.get_ref();
            let tls = inner.and_then(|inner| inner.downcast_ref::<Error>());
            let taken = other_tls::choice(stream.bytes()).or_else(|| OtherTls::of(tls?));
            let old = matches!(tls, Some(Error::PeerIncompatible(_)));
            Err(Failed {
                was_offered: taken.is_some() && !old,
                other: taken.or_else(|| refused(tls?)),
                error,
            })
        }
    }
}

/// What an alert says about the kinds of TLS that a server speaks. A mere `handshake_failure`
/// says nothing: much was offered, so that it is more likely that the server refuses everybody.
const fn refused(error: &Error) -> Option<OtherTls> {
    match error {
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            Some(OtherTls("other versions of TLS alone"))
        }
        Error::AlertReceived(AlertDescription::InsufficientSecurity) => {
            Some(OtherTls("other kinds of cipher alone"))
        }
        // The library knows no key for one that it does not speak itself.
        Error::PeerMisbehaved(PeerMisbehaved::SignedKxWithWrongAlgorithm) => {
            Some(OtherTls("other kinds of signature alone"))
        }
        _ => None,
    }
}
