//! Why the broker cannot be used.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::domain::{BrokerUrlError, clean, plain_io_error};

/// Why the broker cannot be used. The text is one sentence without the password.
#[derive(Debug)]
pub enum BrokerError {
    /// The URL is none of a broker.
    Url(BrokerUrlError),
    /// A file that the URL names cannot be read.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The client takes the URL for invalid.
    Settings(RedisError),
    /// The server is a node of a Redis Cluster.
    Cluster(String),
    /// The server is a Sentinel, and the URL takes it for a broker.
    Sentinel(String),
    /// The broker did not answer, or refused.
    Unreachable {
        /// Its URL, without the password.
        url: String,
        /// The client's error.
        source: RedisError,
    },
}

impl BrokerError {
    /// Whether waiting cannot mend it: the URL is wrong, or the broker answers and refuses the
    /// credentials, the command to this user, or every program of this kind, or its certificate is
    /// not trusted.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => {
                source.kind() == ErrorKind::AuthenticationFailed
                    || refusal(source).is_some_and(|refusal| refusal.permanent)
                    || tls_error(source).is_some()
            }
            Self::Url(_)
            | Self::File { .. }
            | Self::Settings(_)
            | Self::Cluster(_)
            | Self::Sentinel(_) => true,
        }
    }

    /// What it is about: of a refusal its word, whose sentence names each time another command.
    pub(super) fn topic(&self) -> String {
        match self {
            Self::Unreachable { source, .. } => refusal(source).map(|known| known.word.to_owned()),
            _ => None,
        }
        .unwrap_or_else(|| self.to_string())
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::File { path, source } => write!(
                f,
                "{} of the broker's URL: {}",
                path.display(),
                plain_io_error(source)
            ),
            Self::Settings(error) => write!(f, "the broker's URL is invalid: {}", reason(error)),
            Self::Cluster(url) => write!(
                f,
                "{url} is a Redis Cluster, on which Celery's queue does not work: name a single \
                 server, a list of them, or Sentinels"
            ),
            Self::Sentinel(url) => write!(
                f,
                "{url} is a Sentinel: it is asked for a server by \
                 sentinel://host:26379/0?master_name=NAME"
            ),
            Self::Unreachable { url, source } => match refusal(source) {
                Some(refusal) if !refusal.of_user => {
                    write!(f, "the broker at {url} refuses: {}", reason(source))
                }
                _ => write!(f, "no broker at {url}: {}", reason(source)),
            },
        }
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its text is this one's.
            Self::Url(error) => error.source(),
            Self::File { source, .. } => Some(source),
            Self::Settings(source) | Self::Unreachable { source, .. } => Some(source),
            Self::Cluster(_) | Self::Sentinel(_) => None,
        }
    }
}

/// Whether the server is there and still reads its data from disk (`LOADING`).
pub(super) fn is_loading(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading)
}

/// Whether the server is a replica, which takes no writes (`READONLY`).
pub(super) fn is_read_only(error: &RedisError) -> bool {
    refusal(error).is_some_and(|refusal| refusal.word == "READONLY")
}

/// What a server says that has as many clients as it takes; it has no word for it.
pub(super) const TOO_MANY_CLIENTS: &str = "max number of clients reached";

/// A refusal by the server, named by the first word of its error.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    word: &'static str,
    meaning: &'static str,
    /// Whether waiting cannot mend it.
    permanent: bool,
    /// Whether it is about the user and password.
    of_user: bool,
}

const fn passing(word: &'static str, meaning: &'static str) -> Refusal {
    Refusal {
        word,
        meaning,
        permanent: false,
        of_user: false,
    }
}

const fn permanent(word: &'static str, meaning: &'static str) -> Refusal {
    Refusal {
        permanent: true,
        ..passing(word, meaning)
    }
}

const fn of_user(word: &'static str, meaning: &'static str) -> Refusal {
    Refusal {
        of_user: true,
        ..permanent(word, meaning)
    }
}

const CLUSTER: &str = "it is a Redis Cluster, on which Celery's queue does not work";

/// The refusals that are known. Source: the errors that Redis and Valkey define in `server.c` and
/// `cluster.c`.
const REFUSALS: [Refusal; 17] = [
    passing(
        "OOM",
        "its memory is full, and maxmemory lets it take no more",
    ),
    passing(
        "READONLY",
        "it is a replica, and only its primary takes writes",
    ),
    passing(
        "MISCONF",
        "it cannot save its data, and takes no writes until it can",
    ),
    passing("NOREPLICAS", "too few replicas follow it"),
    passing(
        "UNBLOCKED",
        "it became a replica, and only its primary takes writes",
    ),
    passing("MASTERDOWN", "it is a replica that has lost its primary"),
    passing("LOADING", "it is still reading its data"),
    passing("BUSY", "it is busy with a script that does not end"),
    permanent("NOPERM", "its user may not do that"),
    permanent("MOVED", CLUSTER),
    permanent("ASK", CLUSTER),
    permanent("CROSSSLOT", CLUSTER),
    permanent("CLUSTERDOWN", CLUSTER),
    permanent("TRYAGAIN", CLUSTER),
    of_user("WRONGPASS", "it does not take the user and password"),
    of_user("NOAUTH", "it wants a password"),
    passing("max clients", "it has as many clients as it takes"),
];

/// What servers say instead of `NOPERM` where a script runs a command that its user may not.
const FORBIDDEN_IN_SCRIPT: [&str; 2] = [
    "ACL failure in script",
    "The user executing the script can't",
];

/// The refusal that an error stands for; `None` for any other error.
fn refusal(error: &RedisError) -> Option<&'static Refusal> {
    let known = |word: &str| REFUSALS.iter().find(|refusal| refusal.word == word);
    if let Some(found) = error.code().and_then(known) {
        return Some(found);
    }
    let text = error.to_string();
    if text.contains(TOO_MANY_CLIENTS) {
        return known("max clients");
    }
    // What is sent before it has asked for the password may be too long for it.
    if text.contains("unauthenticated") {
        return known("NOAUTH");
    }
    // Redis before 7 wraps the error of a command of a script into one of the script, and before 7.2
    // that of a command that the user may not run. In a pipeline the client wraps it.
    if FORBIDDEN_IN_SCRIPT.iter().any(|said| text.contains(said)) {
        return known("NOPERM");
    }
    let mut words = text.split(|c: char| !c.is_ascii_uppercase());
    words.find_map(known)
}

/// The error as a phrase that follows a colon. A refusal is named by the server's own word.
pub(super) fn reason(error: &RedisError) -> String {
    if error.is_connection_refusal() {
        return "connection refused".to_owned();
    }
    if error.is_timeout() {
        return "it does not answer".to_owned();
    }
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "it does not take the user and password".to_owned();
    }
    if let Some(refusal) = refusal(error) {
        let Refusal { word, meaning, .. } = refusal;
        return match error.detail().filter(|_| *word == "NOPERM") {
            _ if refusal.of_user => (*meaning).to_owned(),
            Some(detail) => format!("{word} ({meaning}: {})", clean(detail, 150)),
            None => format!("{word} ({meaning})"),
        };
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
            Some(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired)) => {
                return Some("it wants a certificate of its clients (ssl_certfile)".to_owned());
            }
            Some(_) => return Some("the TLS handshake failed".to_owned()),
            None => source = one.source(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> RedisError {
        let reply = redis::parse_redis_value(format!("-{text}\r\n").as_bytes());
        reply.and_then(redis::Value::extract_error).unwrap_err()
    }

    #[test]
    fn a_refusal_is_named_by_the_servers_word() {
        for (said, word) in [
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                "OOM",
            ),
            (
                "READONLY You can't write against a read only replica.",
                "READONLY",
            ),
            (
                "MISCONF Redis is configured to save RDB snapshots",
                "MISCONF",
            ),
            (
                "NOPERM User x has no permissions to run the 'lpush' command",
                "NOPERM",
            ),
            ("MOVED 866 127.0.0.1:7000", "MOVED"),
            (
                "CROSSSLOT Keys in request don't hash to the same slot",
                "CROSSSLOT",
            ),
            ("CLUSTERDOWN Hash slot not served", "CLUSTERDOWN"),
            ("LOADING Redis is loading the dataset in memory", "LOADING"),
            ("ERR max number of clients reached", "max clients"),
            (
                "UNBLOCKED force unblock from blocking operation, instance state changed",
                "UNBLOCKED",
            ),
            (
                "ERR ACL failure in script: User x has no permissions to run the 'get' command",
                "NOPERM",
            ),
            (
                "ERR The user executing the script can't run this command or subcommand",
                "NOPERM",
            ),
            (
                "ERR Error running script (call to f_1): @user_script:2: -OOM command not allowed",
                "OOM",
            ),
        ] {
            let phrase = reason(&server(said));
            assert!(phrase.starts_with(&format!("{word} (")), "{said}: {phrase}");
        }
        let early = server("ERR Protocol error: unauthenticated multibulk length");
        assert_eq!(reason(&early), "it wants a password");
        let other = reason(&server("ERR unknown command 'BLMOVE'"));
        assert_eq!(other, "unknown command 'BLMOVE'");
        assert_eq!(refusal(&server("ERR value is OOMPH")), None);
    }
}
