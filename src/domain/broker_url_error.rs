//! What can be wrong in the URL of a broker, as sentences.

use std::error::Error;
use std::fmt;

/// Why a text is no URL of a broker. The text is a sentence that shows no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerUrlError {
    /// It is no URL, its scheme is none by which a broker is reached, or the host or path is
    /// missing.
    NotABroker,
    /// The scheme is that of a Redis Cluster.
    Cluster,
    /// The database is no number, or beyond all numbers of databases.
    Database,
    /// What stands behind a `#` would be ignored.
    Fragment,
    /// A parameter of this name is not known for such a URL.
    UnknownParameter(String),
    /// A parameter stands there twice, or says again what the URL says elsewhere.
    Repeated(String),
    /// Two parameters that mean the same.
    Synonyms(&'static str, &'static str),
    /// The value of this parameter is not one of those in the text that follows.
    Value(&'static str, &'static str),
    /// A client's certificate without its key, or a key without its certificate.
    HalfOfClient,
    /// Sentinels are named, and not the server that they are to be asked for.
    NoMaster,
    /// Sentinels and servers in one list.
    Mixed,
}

impl fmt::Display for BrokerUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABroker => {
                f.write_str("expected a Redis URL such as \"redis://127.0.0.1:6379/0\"")
            }
            Self::Cluster => f.write_str(
                "Celery's queue does not work on a Redis Cluster: name a single server, redis://host:6379/0",
            ),
            Self::Database => f.write_str(
                "the database of a broker is a number up to 65535, as in redis://host/0",
            ),
            Self::Fragment => f.write_str(
                "a broker's URL has no part behind a #; in a password it is written %23",
            ),
            Self::UnknownParameter(name) => {
                write!(f, "a URL of such a broker has no parameter \"{name}\"")
            }
            Self::Repeated(name) => write!(f, "the broker's URL gives \"{name}\" twice"),
            Self::Synonyms(one, other) => write!(
                f,
                "the broker's URL gives \"{one}\" and \"{other}\", which mean the same"
            ),
            Self::Value(name, expected) => write!(f, "\"{name}\" in the broker's URL is {expected}"),
            Self::HalfOfClient => f.write_str(
                "\"ssl_certfile\" and \"ssl_keyfile\" in the broker's URL belong together",
            ),
            Self::NoMaster => f.write_str(
                "Sentinels are asked for a server by its name: sentinel://host:26379/0?master_name=NAME",
            ),
            Self::Mixed => {
                f.write_str("a list of brokers names either Sentinels or servers, not both")
            }
        }
    }
}

impl Error for BrokerUrlError {}
