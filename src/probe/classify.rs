//! From errors to reasons, by type: the source chain is walked, no text is matched.

use std::error::Error;
use std::io;
use std::time::Duration;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hyper::StatusCode;
use jiff::Timestamp;
use rustls::{CertificateError, InvalidMessage};

use crate::domain::{Phase, Reason, StatusSet, brief};

use super::certificate::Read;
use super::exchange::AskError;
use super::phase_timings::Recorded;

/// Why the verdict of a check is not up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    /// One sentence of plain language; not cleaned yet.
    pub(super) error: String,
    /// Whether a server that refuses HEAD itself would have failed like this.
    pub(super) may_be_about_head: bool,
}

impl Failure {
    pub(super) fn new(reason: Reason, error: impl Into<String>) -> Self {
        Self {
            reason,
            error: error.into(),
            may_be_about_head: false,
        }
    }
}

/// The deadline passed while the request was in `phase`.
pub(super) fn out_of_time(phase: Phase, timeout: Duration) -> Failure {
    Failure::new(
        Reason::Timeout,
        format!(
            "no valid answer within {}: still waiting for {}",
            brief(timeout),
            phase.words()
        ),
    )
}

pub(super) fn too_many_redirects(most: u16) -> Failure {
    Failure::new(
        Reason::Redirect,
        format!("still redirected after {most} redirects"),
    )
}

pub(super) fn bad_status(status: StatusCode, expected: &StatusSet) -> Failure {
    let rule = if expected.is_named() {
        format!("expected {expected}")
    } else {
        "400 and more counts as down".to_owned()
    };
    // The phrase is the standard's, never the server's.
    let phrase = status
        .canonical_reason()
        .map_or(String::new(), |phrase| format!(" {phrase}"));
    Failure::new(
        Reason::Status,
        format!("answered {}{phrase}; {rule}", status.as_u16()),
    )
}

/// A request to a server that speaks TLS (`secure`) or not, and that got no answer.
pub(super) fn request(error: &AskError, recorded: &Recorded, secure: bool) -> Failure {
    let phase = recorded.current();
    let error = match error {
        AskError::Unaskable => {
            return Failure::new(Reason::Protocol, "the URL cannot be asked for");
        }
        AskError::TooMuch => return too_much(),
        AskError::Connect(error) => &**error as &(dyn Error + 'static),
        AskError::Exchange(error) => error,
    };
    if let Some(failure) = own_fault(error) {
        return failure;
    }
    if let Some(dns) = find::<NetError>(error) {
        return dns_failure(dns);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return tls_failure(tls, recorded.certificate.as_deref());
    }
    // A connection that broke was there before: on a busy machine the news of both comes at
    // once, and what broke is the handshake, or the wait for an answer.
    let broke_in = match phase {
        Phase::Connect if secure => Phase::Tls,
        phase => phase,
    };
    if let Some(mut failure) = broken(error, broke_in) {
        failure.may_be_about_head = phase == Phase::FirstByte;
        return failure;
    }
    Failure::new(
        Reason::Protocol,
        format!("the request failed while waiting for {}", phase.words()),
    )
}

fn too_much() -> Failure {
    let mut failure = Failure::new(
        Reason::Protocol,
        "the server sends interim answers or a head without end",
    );
    failure.may_be_about_head = true;
    failure
}

/// A body that ended badly.
pub(super) fn body(error: &hyper::Error) -> Failure {
    if let Some(failure) = own_fault(error) {
        return failure;
    }
    match broken(error, Phase::Body) {
        Some(failure) if failure.reason == Reason::Closed => failure,
        _ => Failure::new(Reason::Content, "the body is not framed as HTTP demands"),
    }
}

/// Every error of the chain, those that an `io::Error` wraps included: its own `source()`
/// skips them.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && let Some(inner) = io.get_ref()
        {
            return Some(inner as &(dyn Error + 'static));
        }
        if let Some(NetError::Io(io)) = error.downcast_ref::<NetError>() {
            return Some(&**io as &(dyn Error + 'static));
        }
        error.source()
    })
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(<dyn Error>::downcast_ref::<T>)
}

fn io_errors<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a io::Error> {
    chain(error).filter_map(<dyn Error>::downcast_ref::<io::Error>)
}

/// What this machine ran out of is never the site's fault.
fn own_fault(error: &(dyn Error + 'static)) -> Option<Failure> {
    // ENFILE, EMFILE, EADDRNOTAVAIL, ENOMEM, ENOBUFS: the numbers of Linux.
    let what = io_errors(error).find_map(|io| match io.raw_os_error()? {
        23 | 24 => Some("this machine is out of open files"),
        99 => Some("this machine has no free port or no address of that kind"),
        12 | 105 => Some("this machine is out of memory"),
        _ => None,
    })?;
    Some(Failure::new(
        Reason::Internal,
        format!("could not check: {what}"),
    ))
}

fn dns_failure(error: &NetError) -> Failure {
    let why = match error {
        NetError::Timeout => "the name server did not answer",
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => "the name does not exist",
            ResponseCode::NoError => "the name exists but has no address",
            code => response_code(code),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => response_code(*code),
        NetError::Proto(_) => "the name is not a valid host name",
        NetError::NoConnections | NetError::Io(_) => "no name server can be reached",
        _ => "the name cannot be resolved",
    };
    Failure::new(Reason::Dns, why)
}

const fn response_code(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::NXDomain => "the name does not exist",
        ResponseCode::ServFail => "the name server failed (SERVFAIL)",
        ResponseCode::Refused => "the name server refused to answer (REFUSED)",
        _ => "the name server answered with an error",
    }
}

fn tls_failure(error: &rustls::Error, certificate: Option<&Read>) -> Failure {
    let why = match error {
        rustls::Error::InvalidCertificate(error) => certificate_failure(error, certificate),
        rustls::Error::AlertReceived(alert) => {
            format!(
                "the server ended the TLS handshake: {}",
                words(&format!("{alert:?}"))
            )
        }
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS on this port".to_owned()
        }
        rustls::Error::InvalidMessage(_) | rustls::Error::DecryptError => {
            "the server's TLS messages cannot be read".to_owned()
        }
        rustls::Error::PeerIncompatible(_) => {
            "the server and this program have no TLS version or cipher in common".to_owned()
        }
        rustls::Error::PeerMisbehaved(_) => "the server breaks the rules of TLS".to_owned(),
        rustls::Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        rustls::Error::NoApplicationProtocol => {
            "the server speaks neither HTTP/1.1 nor HTTP/2 over TLS".to_owned()
        }
        _ => "the TLS handshake failed".to_owned(),
    };
    Failure::new(Reason::Tls, why)
}

pub(super) fn certificate_failure(error: &CertificateError, read: Option<&Read>) -> String {
    let end = read
        .and_then(|read| Timestamp::from_microsecond(read.shown.not_after.as_micros()).ok())
        .map_or(String::new(), |end| {
            format!(" (on {})", end.strftime("%Y-%m-%d"))
        });
    let self_signed = read.is_some_and(|read| read.self_signed);
    let subject = read
        .map(|read| &*read.shown.subject)
        .filter(|subject| !subject.is_empty());
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate has expired{end}")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not yet valid".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let whose = subject.map_or(String::new(), |name| format!(" (it names {name})"));
            format!("the certificate is for the wrong host{whose}")
        }
        CertificateError::UnknownIssuer if !self_signed => {
            let whose = read
                .map(|read| &*read.shown.issuer)
                .filter(|issuer| !issuer.is_empty())
                .map_or(String::new(), |issuer| format!(" ({issuer})"));
            format!("the certificate comes from an unknown issuer{whose}")
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadSignature => "the certificate's signature does not fit".to_owned(),
        _ if self_signed => "the certificate is self-signed".to_owned(),
        CertificateError::BadEncoding => "the certificate cannot be read".to_owned(),
        _ => "the certificate is not valid".to_owned(),
    }
}

/// "HandshakeFailure" as "handshake failure".
fn words(camel: &str) -> String {
    let mut out = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Connections that could not be made, broke, or carried something else than HTTP.
fn broken(error: &(dyn Error + 'static), phase: Phase) -> Option<Failure> {
    if let Some(http) = find::<hyper::Error>(error) {
        if http.is_parse_too_large() {
            return Some(Failure::new(
                Reason::Protocol,
                "the head of the answer is larger than any honest one",
            ));
        }
        if http.is_parse() {
            return Some(Failure::new(Reason::Protocol, "the answer is not HTTP"));
        }
    }
    if find::<h2::Error>(error).is_some_and(|h2| !h2.is_io()) {
        return Some(Failure::new(
            Reason::Protocol,
            "the server broke off the HTTP/2 stream",
        ));
    }
    let incomplete = find::<hyper::Error>(error)
        .is_some_and(|http| http.is_incomplete_message() || http.is_canceled() || http.is_closed());
    let kind = io_errors(error).last().map(io::Error::kind);
    use io::ErrorKind as Kind;
    let failure = match kind {
        Some(Kind::ConnectionRefused) => Failure::new(
            Reason::Refused,
            "the connection was refused: nothing listens on that port",
        ),
        Some(Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NotConnected) => {
            Failure::new(
                Reason::Unreachable,
                "there is no way to its address from here",
            )
        }
        Some(Kind::PermissionDenied) => {
            Failure::new(Reason::Unreachable, "a firewall forbids the connection")
        }
        Some(Kind::TimedOut) => {
            Failure::new(Reason::Timeout, "the connection could not be made in time")
        }
        Some(
            Kind::UnexpectedEof
            | Kind::ConnectionReset
            | Kind::BrokenPipe
            | Kind::ConnectionAborted,
        ) => closed(phase, kind == Some(Kind::ConnectionReset)),
        _ if incomplete => closed(phase, false),
        _ => return None,
    };
    Some(failure)
}

fn closed(phase: Phase, reset: bool) -> Failure {
    let how = if reset { "reset" } else { "closed" };
    match phase {
        Phase::Tls => Failure::new(
            Reason::Tls,
            format!("the server {how} the connection during the TLS handshake"),
        ),
        Phase::Body => Failure::new(
            Reason::Closed,
            format!("the server {how} the connection before the body was complete"),
        ),
        _ => Failure::new(
            Reason::Closed,
            format!("the server {how} the connection before it answered"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_read_as_words() {
        assert_eq!(words("HandshakeFailure"), "handshake failure");
    }

    #[test]
    fn what_an_io_error_wraps_is_found() {
        let inner = rustls::Error::NoCertificatesPresented;
        let outer = io::Error::new(io::ErrorKind::InvalidData, inner);
        assert!(find::<rustls::Error>(&outer).is_some());
        let twice = io::Error::other(outer);
        assert!(find::<rustls::Error>(&twice).is_some());
    }

    #[test]
    fn out_of_files_is_our_own_fault() {
        let failure = own_fault(&io::Error::from_raw_os_error(24)).unwrap();
        assert_eq!(failure.reason, Reason::Internal);
        assert_eq!(own_fault(&io::Error::from_raw_os_error(111)), None);
    }

    #[test]
    fn a_status_names_the_rule_that_decided() {
        let by_default = bad_status(StatusCode::NOT_FOUND, &StatusSet::default());
        assert_eq!(
            by_default.error,
            "answered 404 Not Found; 400 and more counts as down"
        );
        let named = bad_status(StatusCode::NO_CONTENT, &StatusSet::parse("200").unwrap());
        assert_eq!(named.error, "answered 204 No Content; expected 200");
    }
}
