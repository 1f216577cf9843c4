//! Why the broker cannot be used.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::domain::clean;

/// Why the broker cannot be used. The text is one sentence without the password.
#[derive(Debug)]
pub enum BrokerError {
    /// The text is not a URL.
    NotAUrl,
    /// The URL's scheme is none by which a broker is reached.
    Scheme(String),
    /// The path of the socket holds a `%`.
    EncodedSocketPath,
    /// The database in the URL is not a number.
    DatabaseNumber,
    /// The client takes the URL for invalid.
    Settings(RedisError),
    /// The broker did not answer, or refused.
    Unreachable {
        /// Its URL, without the password.
        url: String,
        /// The client's error.
        source: RedisError,
    },
}

impl BrokerError {
    /// Whether waiting cannot mend it: the broker answers, and refuses the credentials, or its
    /// certificate is not trusted.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => is_refusal(source) || tls_error(source).is_some(),
            Self::NotAUrl
            | Self::Scheme(_)
            | Self::EncodedSocketPath
            | Self::DatabaseNumber
            | Self::Settings(_) => true,
        }
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAUrl => f.write_str("the broker's URL is not a URL"),
            Self::Scheme(scheme) => write!(f, "a broker is not reached by {scheme}"),
            Self::EncodedSocketPath => {
                f.write_str("the path of the broker's socket must not hold a %")
            }
            Self::DatabaseNumber => f.write_str("the database of the broker is not a number"),
            Self::Settings(error) => write!(f, "the broker's URL is invalid: {}", reason(error)),
            Self::Unreachable { url, source } => {
                write!(f, "no broker at {url}: {}", reason(source))
            }
        }
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Settings(source) | Self::Unreachable { source, .. } => Some(source),
            Self::NotAUrl | Self::Scheme(_) | Self::EncodedSocketPath | Self::DatabaseNumber => {
                None
            }
        }
    }
}

/// Whether the server is there and still reads its data from disk (`LOADING`).
pub(super) fn is_loading(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading)
}

/// Whether the server refuses the user, the password, or the command to that user.
fn is_refusal(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"))
}

/// The error as a phrase that follows a colon.
pub(super) fn reason(error: &RedisError) -> String {
    if error.is_connection_refusal() {
        return "connection refused".to_owned();
    }
    if error.is_timeout() {
        return "it does not answer".to_owned();
    }
    if is_loading(error) {
        return "it is still reading its data".to_owned();
    }
    if error.kind() == ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS") {
        return "it does not take the user and password".to_owned();
    }
    if error.code() == Some("NOAUTH") {
        return "it wants a password".to_owned();
    }
    if let Some(why) = tls_error(error) {
        return why;
    }
    if error.is_connection_dropped() {
        return "the connection broke".to_owned();
    }
    let text = error
        .detail()
        .map_or_else(|| error.to_string(), str::to_owned);
    let end = text.find(" (os error").unwrap_or(text.len());
    clean(&text[..end], 200)
}

/// The error of the TLS handshake, as a phrase; `None` if it is no such error.
fn tls_error(error: &RedisError) -> Option<String> {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(one) = source {
        // The crate's own errors share theirs.
        let shared = one.downcast_ref::<Arc<dyn Error + Send + Sync>>();
        let one: &(dyn Error + 'static) = shared.map_or(one, |shared| &**shared);
        let inner = one
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref()?.downcast_ref::<rustls::Error>());
        match inner.or_else(|| one.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_)) => {
                return Some("its certificate is not to be trusted".to_owned());
            }
            Some(_) => return Some("the TLS handshake failed".to_owned()),
            None => source = one.source(),
        }
    }
    None
}
