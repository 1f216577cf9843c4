//! Why a server could not be told, in plain words: no number of the system, no name of a
//! library. By the types of the errors, not by their texts.

use std::error::Error;
use std::io;

use rustls::{CertificateError, InvalidMessage};

use crate::domain::plain_io_error;

/// Every error of the chain, those that an `io::Error` wraps included: its own `source()`
/// skips them.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(
        Some(error),
        |&error: &&'a (dyn Error + 'static)| match error
            .downcast_ref::<io::Error>()
            .map(io::Error::get_ref)
        {
            Some(Some(inner)) => Some(inner as &(dyn Error + 'static)),
            _ => error.source(),
        },
    )
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(<dyn Error>::downcast_ref::<T>)
}

/// Why a request got no answer, or a client could not be made.
pub(super) fn plain_error(error: &(dyn Error + 'static)) -> String {
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_error(tls).to_owned();
    }
    let http = find::<hyper::Error>(error);
    if http.is_some_and(hyper::Error::is_parse_too_large) {
        return "the head of its answer is too large".to_owned();
    }
    if http.is_some_and(hyper::Error::is_parse) {
        return "its answer is not HTTP".to_owned();
    }
    let io = chain(error).filter_map(<dyn Error>::downcast_ref::<io::Error>);
    if let Some(io) = io.last() {
        return io_error(io);
    }
    if find::<h2::Error>(error).is_some() || http.is_some() {
        return "the connection was closed before an answer came".to_owned();
    }
    let last = chain(error).last().map(ToString::to_string);
    last.unwrap_or_default()
}

fn io_error(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let plain = match error.kind() {
        Kind::ConnectionRefused => "the connection was refused: nothing listens on that port",
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NotConnected => {
            "there is no way to its address from here"
        }
        Kind::PermissionDenied => "a firewall forbids the connection",
        Kind::TimedOut => "the connection could not be made in time",
        Kind::UnexpectedEof
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe => "the connection was closed before an answer came",
        // The standard library's own text: getaddrinfo(3) has errors of another kind.
        _ if error
            .to_string()
            .starts_with("failed to lookup address information") =>
        {
            "the name of the server cannot be resolved"
        }
        _ => return plain_io_error(error).into_owned(),
    };
    plain.to_owned()
}

/// Why TLS could not be spoken.
pub(super) const fn tls_error(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not yet valid"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another host"
            }
            CertificateError::UnknownIssuer => "its certificate comes from an unknown issuer",
            CertificateError::Revoked => "its certificate was revoked",
            _ => "its certificate is not valid",
        },
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS on this port"
        }
        rustls::Error::PeerIncompatible(_) => {
            "the server and this program have no TLS version or cipher in common"
        }
        rustls::Error::AlertReceived(_) => "the server ended the TLS handshake",
        _ => "the TLS handshake failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_of_the_system_is_told_with_its_number() {
        for number in 1..=133 {
            let text = plain_error(&io::Error::from_raw_os_error(number));
            assert!(!text.is_empty() && !text.contains("os error"), "{text}");
        }
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let cause = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = io::Error::other(io::Error::other(cause));
        assert!(plain_error(&wrapped).starts_with("the connection was refused"));
        let wrong = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let text = plain_error(&io::Error::other(wrong));
        assert_eq!(text, "its certificate comes from an unknown issuer");
    }
}
