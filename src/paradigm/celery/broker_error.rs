//! Why the broker cannot be used.

use std::error::Error;
use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::domain::{BrokerUrlError, FileError};

use super::broker_cause::BrokerCause;
use super::broker_refusal::refusal;

/// Why the broker cannot be used. The text is one sentence without the password.
#[derive(Debug)]
pub enum BrokerError {
    /// The URL is none of a broker.
    Url(BrokerUrlError),
    /// A file that the URL names cannot be read, or holds something else.
    File(FileError),
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
    /// Why a command failed; `None` where none was tried.
    pub(super) fn cause(&self) -> Option<BrokerCause> {
        match self {
            Self::Unreachable { source, .. } => Some(BrokerCause::of(source)),
            Self::Url(_)
            | Self::File(_)
            | Self::Settings(_)
            | Self::Cluster(_)
            | Self::Sentinel(_) => None,
        }
    }

    /// Whether waiting cannot mend it: the URL is wrong, or its cause is
    /// [permanent](BrokerCause::is_permanent).
    pub(super) fn is_permanent(&self) -> bool {
        self.cause().is_none_or(|cause| cause.is_permanent())
    }

    /// What it is about: of a refusal its word, whose sentence names each time another command.
    pub(super) fn topic(&self) -> String {
        match self.cause() {
            Some(BrokerCause::Refused(refusal, _)) => refusal.word.to_owned(),
            _ => self.to_string(),
        }
    }

    /// Whether it says less than an error that was told before it.
    pub(super) fn is_vague(&self) -> bool {
        self.cause().is_some_and(|cause| cause.is_vague())
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Settings(error) => {
                write!(f, "the broker's URL is invalid: {}", BrokerCause::of(error))
            }
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
            Self::Unreachable { url, source } => match BrokerCause::of(source) {
                cause if cause.is_refusal() => write!(f, "the broker at {url} refuses: {cause}"),
                cause => write!(f, "no broker at {url}: {cause}"),
            },
        }
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its text is this one's.
            Self::Url(error) => error.source(),
            Self::File(error) => error.source(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(error: &RedisError) -> String {
        BrokerCause::of(error).to_string()
    }

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
        assert_eq!(other, "it answers \"unknown command 'BLMOVE'\"");
        assert_eq!(refusal(&server("ERR value is OOMPH")), None);
    }
}
