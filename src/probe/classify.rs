//! From errors to reasons, by type: no text is matched.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::domain::{Phase, Reason, StatusSet, brief, failed_connects_in_words, plural};

use super::certificate_fault::short_key;
use super::http::ExchangeError;
use super::names::NameError;
use super::own_fault;
use super::path::{PathError, ProxyFault};
use super::phase_timings::{PhaseTimings, Recorded};

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

/// The deadline passed while the request with these timings was under way.
pub(super) fn out_of_time(timings: Option<&PhaseTimings>, timeout: Duration) -> Failure {
    if timings.is_some_and(|timings| timings.lock().waits_for_proxy) {
        return could_not(&format!(
            "the proxy made no connection within {}",
            brief(timeout)
        ));
    }
    let (phase, waited) = timings.map_or((Phase::Connect, Duration::ZERO), |timings| {
        let recorded = timings.lock();
        (recorded.current(), recorded.waited_for_memory())
    });
    // Others' deadlines may be the same, which frees their memory a moment before this one's.
    if waited > timeout / 4 {
        return could_not("too many large answers at once: no memory was left for this one");
    }
    let failure = Failure::new(
        Reason::Timeout,
        format!(
            "no valid answer within {}: still waiting for {}",
            brief(timeout),
            phase.words()
        ),
    );
    match timings.filter(|_| phase == Phase::Connect) {
        Some(timings) => with_attempts(failure, &timings.lock()),
        None => failure,
    }
}

/// Adds what became of each address, where there were several.
fn with_attempts(mut failure: Failure, recorded: &Recorded) -> Failure {
    if let Some(attempts) = failed_connects_in_words(&recorded.failed_connects()) {
        failure.error = format!("{} ({attempts})", failure.error);
    }
    failure
}

pub(super) fn too_many_redirects(most: u16) -> Failure {
    Failure::new(
        Reason::Redirect,
        format!("still redirected after {}", plural(most, "redirect")),
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

/// What is no fault of the site.
pub(super) fn could_not(why: &str) -> Failure {
    Failure::new(Reason::Internal, format!("could not check: {why}"))
}

/// A request to a server that speaks TLS (`secure`) or not, and that got no answer.
pub(super) fn request(error: &ExchangeError, recorded: &Recorded, secure: bool) -> Failure {
    match error {
        ExchangeError::Unaskable => Failure::new(Reason::Protocol, "the URL cannot be asked for"),
        ExchangeError::Path(PathError::Name(error)) => name(error),
        ExchangeError::Path(PathError::Connect(address, error)) => {
            if let Some(what) = own_fault::of(error, *address) {
                return could_not(what);
            }
            // A connection that broke was there before: on a busy machine the news of both
            // comes at once, and what broke is the handshake, or the wait for an answer.
            let broke_in = if secure { Phase::Tls } else { Phase::Connect };
            with_attempts(failed(error, broke_in), recorded)
        }
        ExchangeError::Path(PathError::Handshake(error)) => handshake(error, recorded),
        ExchangeError::Path(PathError::OtherTls(other)) => could_not(&format!(
            "the server speaks {other}, and this program does not"
        )),
        ExchangeError::Path(PathError::HostName) => {
            could_not("this program's TLS cannot ask for a host of that name")
        }
        ExchangeError::Path(PathError::NoProxy(error)) => no_proxy(error.as_ref()),
        ExchangeError::Path(PathError::Proxy(fault)) => proxy(fault),
        answer => {
            let mut failure = exchange(answer, recorded);
            failure.may_be_about_head = failure.reason != Reason::Internal;
            failure
        }
    }
}

/// A proxy that cannot be reached.
fn no_proxy(error: Option<&io::Error>) -> Failure {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    match error {
        None => could_not("the proxy has no address"),
        Some(error) => could_not(match own_fault::of(error, anywhere) {
            Some(what) => what,
            None if error.kind() == io::ErrorKind::ConnectionRefused => {
                "the proxy refused the connection: nothing listens on its port"
            }
            None => "the proxy cannot be reached",
        }),
    }
}

/// A proxy that made no connection. What it says of the server is believed.
fn proxy(fault: &ProxyFault) -> Failure {
    match fault {
        ProxyFault::Broken(error) => could_not(
            own_fault::of(error, SocketAddr::from(([0, 0, 0, 0], 0)))
                .unwrap_or("the proxy closed the connection"),
        ),
        ProxyFault::Garbled => could_not("the proxy does not speak the protocol of its URL"),
        ProxyFault::Credentials => could_not("the proxy wants other credentials"),
        ProxyFault::Status(status) => could_not(&format!(
            "the proxy made no connection: it answered {status}"
        )),
        ProxyFault::Reply(2) => could_not("the proxy does not allow the connection"),
        ProxyFault::Reply(code) => could_not(&format!(
            "the proxy made no connection: it answered with the code {code}"
        )),
        ProxyFault::Refused => Failure::new(
            Reason::Refused,
            "the connection was refused, as the proxy says",
        ),
        ProxyFault::Unreachable => Failure::new(
            Reason::Unreachable,
            "there is no way to its address, as the proxy says",
        ),
    }
}

/// An exchange on a connection that was there.
fn exchange(error: &ExchangeError, recorded: &Recorded) -> Failure {
    let protocol = |why: &str| Failure::new(Reason::Protocol, why);
    let in_tls = |error| tls_inside(error).map(|tls| tls_failure(tls, recorded));
    match error {
        ExchangeError::Io(error) => {
            in_tls(error).unwrap_or_else(|| broken(error, Phase::FirstByte))
        }
        ExchangeError::Incomplete => closed(Phase::FirstByte, false),
        ExchangeError::LargeHead => {
            protocol("the head of the answer is larger than any honest one")
        }
        ExchangeError::Endless => {
            protocol("the server sends interim answers or a head without end")
        }
        ExchangeError::Switched => {
            protocol("the server switched protocols (101) though nobody asked it to")
        }
        ExchangeError::Http2(error) => match error.get_io() {
            Some(error) => in_tls(error).unwrap_or_else(|| broken(error, Phase::FirstByte)),
            None => protocol("the server broke off the HTTP/2 stream"),
        },
        _ => protocol("the answer is not HTTP"),
    }
}

/// A name that has no address here.
pub(super) fn name(error: &NameError) -> Failure {
    match error {
        NameError::Own(error) => {
            let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
            could_not(own_fault::of(error, anywhere).unwrap_or("no socket can be opened"))
        }
        error => Failure::new(Reason::Dns, error.sentence()),
    }
}

/// A handshake that failed.
fn handshake(error: &io::Error, recorded: &Recorded) -> Failure {
    match tls_inside(error) {
        Some(tls) => tls_failure(tls, recorded),
        None => broken(error, Phase::Tls),
    }
}

/// The error of the TLS library that an error of a connection wraps.
fn tls_inside(error: &io::Error) -> Option<&rustls::Error> {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
}

/// A body that ended badly.
pub(super) fn body(error: &ExchangeError) -> Failure {
    let io = match error {
        ExchangeError::Io(error) => Some(error),
        ExchangeError::Http2(error) => error.get_io(),
        ExchangeError::Incomplete => return closed(Phase::Body, false),
        _ => None,
    };
    match io.map(|error| broken(error, Phase::Body)) {
        Some(failure) if matches!(failure.reason, Reason::Closed | Reason::Internal) => failure,
        _ => Failure::new(Reason::Content, "the body is not framed as HTTP demands"),
    }
}

fn tls_failure(error: &rustls::Error, recorded: &Recorded) -> Failure {
    use rustls::Error as Tls;
    if let Some(fault) = &recorded.certificate_fault {
        let why = fault.sentence();
        return if fault.is_unknown_kind() {
            could_not(&why)
        } else {
            Failure::new(Reason::Tls, why)
        };
    }
    let why = match error {
        // In TLS 1.3 it comes behind the handshake, in place of an answer.
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server demands a certificate of its clients".to_owned()
        }
        Tls::AlertReceived(alert) => {
            format!(
                "the server ended the TLS handshake: {}",
                words(&format!("{alert:?}"))
            )
        }
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS on this port".to_owned()
        }
        Tls::InvalidMessage(_) | Tls::DecryptError => {
            "the server's TLS messages cannot be read".to_owned()
        }
        Tls::PeerIncompatible(_) => {
            return could_not(
                "the server speaks a kind of TLS that this program does not: an old version, or \
                 a cipher, key or signature that it does not know",
            );
        }
        Tls::PeerMisbehaved(_) => "the server breaks the rules of TLS".to_owned(),
        Tls::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        Tls::InvalidCertificate(CertificateError::BadSignature) => recorded
            .certificate
            .as_ref()
            .and_then(|read| short_key(read.rsa_bits?))
            .unwrap_or_else(|| "the server's signature does not fit its certificate".to_owned()),
        Tls::InvalidCertificate(_) => "the certificate is not valid".to_owned(),
        Tls::NoApplicationProtocol => {
            "the server speaks neither HTTP/1.1 nor HTTP/2 over TLS".to_owned()
        }
        _ => "the TLS handshake failed".to_owned(),
    };
    Failure::new(Reason::Tls, why)
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

/// A connection that broke.
fn broken(error: &io::Error, phase: Phase) -> Failure {
    match own_fault::of(error, SocketAddr::from(([0, 0, 0, 0], 0))) {
        Some(what) => could_not(what),
        None => failed(error, phase),
    }
}

/// A connection that could not be made, or broke, for no want of this machine.
fn failed(error: &io::Error, phase: Phase) -> Failure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => Failure::new(
            Reason::Refused,
            "the connection was refused: nothing listens on that port",
        ),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => Failure::new(
            Reason::Unreachable,
            "there is no way to its address from here",
        ),
        Kind::PermissionDenied => {
            Failure::new(Reason::Unreachable, "a firewall forbids the connection")
        }
        Kind::TimedOut => Failure::new(Reason::Timeout, "the connection could not be made in time"),
        Kind::UnexpectedEof
        | Kind::ConnectionReset
        | Kind::BrokenPipe
        | Kind::ConnectionAborted => closed(phase, error.kind() == Kind::ConnectionReset),
        // EAFNOSUPPORT, which has no kind of its own.
        _ if error.raw_os_error() == Some(97) => Failure::new(
            Reason::Unreachable,
            "there is no way to its address from here",
        ),
        _ => Failure::new(
            Reason::Protocol,
            format!("the request failed while waiting for {}", phase.words()),
        ),
    }
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
