//! Why a command to the broker failed: each cause with words of its own, none of a library.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};

use crate::domain::{clean, plain_io_error};

use super::broker_refusal::{BrokerRefusal, refusal};

/// Why a command to the broker failed. The text is a phrase that follows a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BrokerCause {
    /// Nothing listens on that port or socket.
    ConnectionRefused,
    /// What is at the path of the socket is something else.
    NotASocket {
        /// Whether it is a folder.
        folder: bool,
    },
    /// No reply within the time that it has.
    Silent,
    /// The connection ended, and nothing says why.
    Broken,
    /// The name of the host does not exist.
    UnknownName,
    /// The name of the host cannot be resolved now.
    Unresolved,
    /// There is no route to its address.
    Unreachable,
    /// The operating system refuses, in plain words.
    System(String),
    /// The server refuses with a word that is known, and what it says about a right.
    Refused(&'static BrokerRefusal, Option<String>),
    /// The server does not take the user and password.
    Credentials,
    /// The server answers with an error that has no known word.
    Answer(String),
    /// The certificate of the server is not trusted.
    Certificate,
    /// The server wants a certificate of its clients.
    ClientCertificate,
    /// The TLS handshake failed for another reason.
    Handshake,
    /// TLS is asked for, and the server speaks without it.
    NoTls,
    /// TLS is not asked for, and the server speaks nothing else.
    OnlyTls,
    /// A web server answers.
    Http,
    /// What answers does not speak the protocol of Redis.
    NotRedis,
    /// The Sentinels know no server of this name.
    UnknownMaster(Box<str>),
    /// The client cannot use the settings of the URL.
    Settings,
}

impl BrokerCause {
    /// The cause of an error of the client.
    pub(super) fn of(error: &RedisError) -> Self {
        if let Some(own) = find::<Self>(error) {
            return own.clone();
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return match tls {
                rustls::Error::InvalidCertificate(_) => Self::Certificate,
                rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
                    Self::ClientCertificate
                }
                _ => Self::Handshake,
            };
        }
        if let Some(io) = find::<io::Error>(error) {
            return of_system(io);
        }
        if error.kind() == ErrorKind::AuthenticationFailed {
            return Self::Credentials;
        }
        if let Some(refusal) = refusal(error) {
            let detail = error.detail().filter(|_| refusal.word == "NOPERM");
            return Self::Refused(refusal, detail.map(|detail| clean(detail, 150)));
        }
        match error.kind() {
            ErrorKind::Io => Self::Broken,
            ErrorKind::Server(_) | ErrorKind::Extension => {
                let answer = error
                    .detail()
                    .map_or_else(|| error.to_string(), str::to_owned);
                Self::Answer(clean(&answer, 200))
            }
            ErrorKind::InvalidClientConfig | ErrorKind::EmptySentinelList => Self::Settings,
            ErrorKind::MasterNameNotFoundBySentinel | ErrorKind::NoValidReplicasFoundBySentinel => {
                Self::UnknownMaster("".into())
            }
            // Kinds that the client may get in later versions are about replies as well.
            _ => Self::NotRedis,
        }
    }

    /// Whether waiting cannot mend it: the broker answers and refuses the credentials, the command to
    /// this user, or every program of this kind; its certificate is not trusted; or it is no broker.
    pub(super) const fn is_permanent(&self) -> bool {
        match self {
            Self::Refused(refusal, _) => refusal.permanent,
            Self::Credentials
            | Self::Certificate
            | Self::ClientCertificate
            | Self::Handshake
            | Self::NoTls
            | Self::OnlyTls
            | Self::Settings => true,
            Self::ConnectionRefused
            | Self::NotASocket { .. }
            | Self::Silent
            | Self::Broken
            | Self::UnknownName
            | Self::Unresolved
            | Self::Unreachable
            | Self::System(_)
            | Self::Answer(_)
            | Self::Http
            | Self::NotRedis
            | Self::UnknownMaster(_) => false,
        }
    }

    /// Whether it may be what another cause looks like to a command that was under way.
    pub(super) fn is_vague(&self) -> bool {
        *self == Self::Broken
    }

    /// Whether the server is there and refuses, though not for who asks.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(refusal, _) if !refusal.of_user)
    }
}

/// The cause of an error of the operating system.
fn of_system(error: &io::Error) -> BrokerCause {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => BrokerCause::ConnectionRefused,
        Kind::TimedOut | Kind::WouldBlock => BrokerCause::Silent,
        Kind::BrokenPipe
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::UnexpectedEof
        | Kind::NotConnected => BrokerCause::Broken,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            BrokerCause::Unreachable
        }
        _ => {
            // The standard library's own text: getaddrinfo(3) has errors of another kind, of which
            // these two, and musl's, say that there is no such name.
            let text = error.to_string();
            let said = text.strip_prefix("failed to lookup address information: ");
            match said {
                Some(
                    "Name or service not known"
                    | "No address associated with hostname"
                    | "Name does not resolve",
                ) => BrokerCause::UnknownName,
                Some(_) => BrokerCause::Unresolved,
                None => BrokerCause::System(clean(&plain_io_error(error), 200)),
            }
        }
    }
}

/// The innermost error of this type in the chain of an error.
fn find<T: Error + 'static>(error: &RedisError) -> Option<&T> {
    let mut found = None;
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(one) = source {
        // The crate's own errors share theirs.
        let shared = one.downcast_ref::<Arc<dyn Error + Send + Sync>>();
        let one: &(dyn Error + 'static) = shared.map_or(one, |shared| &**shared);
        found = one.downcast_ref::<T>().or(found);
        // Its own `source()` skips the error that it wraps.
        source = match one.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(inner)) => Some(inner as &(dyn Error + 'static)),
            _ => one.source(),
        };
    }
    found
}

impl fmt::Display for BrokerCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionRefused => "connection refused",
            Self::NotASocket { folder: true } => "it is a folder, not a socket",
            Self::NotASocket { folder: false } => "it is a file, not a socket",
            Self::Silent => "it does not answer",
            Self::Broken => "the connection broke",
            Self::UnknownName => "the name does not exist",
            Self::Unresolved => "the name cannot be resolved now",
            Self::Unreachable => "there is no way to its address from here",
            Self::System(why) => why,
            Self::Refused(
                BrokerRefusal {
                    word,
                    meaning,
                    of_user,
                    ..
                },
                detail,
            ) => {
                return match detail {
                    _ if *of_user => f.write_str(meaning),
                    Some(detail) => write!(f, "{word} ({meaning}: {detail})"),
                    None => write!(f, "{word} ({meaning})"),
                };
            }
            Self::Credentials => "it does not take the user and password",
            Self::Answer(answer) => return write!(f, "it answers \"{answer}\""),
            Self::Certificate => "its certificate is not to be trusted",
            Self::ClientCertificate => "it wants a certificate of its clients (ssl_certfile)",
            Self::Handshake => "the TLS handshake failed",
            Self::NoTls => "it does not speak TLS on this port (redis://)",
            Self::OnlyTls => "it speaks nothing but TLS on this port (rediss://)",
            Self::Http => "a web server answers there, not Redis",
            Self::NotRedis => "what answers there is not Redis",
            Self::UnknownMaster(name) => {
                return write!(f, "the Sentinels know no server of the name \"{name}\"");
            }
            Self::Settings => "the client cannot use this URL",
        })
    }
}

impl Error for BrokerCause {}

impl From<BrokerCause> for RedisError {
    fn from(cause: BrokerCause) -> Self {
        io::Error::other(cause).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_has_its_cause_and_no_words_of_a_library() {
        for number in 1..=133 {
            let error = RedisError::from(io::Error::from_raw_os_error(number));
            let text = BrokerCause::of(&error).to_string();
            assert!(!text.is_empty() && !text.contains("os error"), "{text}");
            assert!(!text.starts_with(char::is_uppercase), "{text}");
        }
        let lookup = "failed to lookup address information: Name or service not known";
        let lookup = RedisError::from(io::Error::other(lookup));
        assert_eq!(BrokerCause::of(&lookup), BrokerCause::UnknownName);
    }

    #[test]
    fn every_kind_of_the_clients_errors_is_put_into_words() {
        for kind in [
            ErrorKind::Parse,
            ErrorKind::AuthenticationFailed,
            ErrorKind::UnexpectedReturnType,
            ErrorKind::InvalidClientConfig,
            ErrorKind::Io,
            ErrorKind::Client,
            ErrorKind::MasterNameNotFoundBySentinel,
            ErrorKind::NoValidReplicasFoundBySentinel,
            ErrorKind::EmptySentinelList,
            ErrorKind::RESP3NotSupported,
        ] {
            let error = RedisError::from((kind, "words of a library"));
            let text = BrokerCause::of(&error).to_string();
            assert!(
                !text.contains("library") && !text.contains("Error"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_cause_of_our_own_survives_the_client() {
        let cause = BrokerCause::UnknownMaster("m".into());
        assert_eq!(BrokerCause::of(&cause.clone().into()), cause);
    }
}
