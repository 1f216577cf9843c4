//! The broker: its URL, and the connections to it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, RedisResult,
};
use url::Url;

use crate::domain::{MaskedUrl, clean};

use super::broker_error::{BrokerError, is_loading};

/// How long the broker may take to reply to a command.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long connecting to the broker may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A Redis or Valkey server.
#[derive(Clone)]
pub(super) struct Broker {
    client: Client,
    shown: String,
    database: i64,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Broker {
    /// The broker at `redis://`, `rediss://`, or one of `redis+unix://`, `redis+socket://` and
    /// `unix://` with the path of a socket, where `?db=1` or `?virtual_host=1` names the
    /// database.
    ///
    /// # Errors
    /// If it is no such URL. The error does not show the password.
    pub(super) fn at(url: &MaskedUrl) -> Result<Self, BrokerError> {
        // A URL with a user or password needs a host, which a socket does not have.
        let text = url.expose().replacen("@/", "@localhost/", 1);
        let parsed = Url::parse(&text).map_err(|_| BrokerError::NotAUrl)?;
        let info = match parsed.scheme() {
            "redis" | "rediss" => url
                .expose()
                .into_connection_info()
                .map_err(BrokerError::Settings)?,
            "redis+unix" | "redis+socket" | "unix" => socket(&parsed)?,
            scheme => return Err(BrokerError::Scheme(clean(scheme, 20))),
        };
        let database = info.redis_settings().db();
        let mut shown = parsed;
        // The query may hold the password of a socket.
        shown.set_query(None);
        Ok(Self {
            client: Client::open(info).map_err(BrokerError::Settings)?,
            shown: clean(MaskedUrl::new(shown).shown(), 200),
            database,
        })
    }

    /// The URL, without its password.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The number of the database.
    pub(super) const fn database(&self) -> i64 {
        self.database
    }

    /// A connection for commands that return at once. It is made at the first command, and again
    /// after it breaks.
    pub(super) fn commands(&self) -> RedisResult<ConnectionManager> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(200));
        ConnectionManager::new_lazy_with_config(self.client.clone(), config)
    }

    /// A connection for commands that block, without a timeout of the reply.
    pub(super) async fn blocking_connection(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// A connection for subscriptions.
    pub(super) async fn pubsub(&self) -> RedisResult<PubSub> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.client.get_async_pubsub()).await {
            Ok(made) => made,
            Err(_) => Err((ErrorKind::Io, "it does not answer").into()),
        }
    }

    /// Checks within half a second that the broker can be used. Blocks.
    ///
    /// # Errors
    /// If no connection is made, or it refuses the user and password.
    pub(super) fn ping(&self) -> Result<(), BrokerError> {
        const WITHIN: Duration = Duration::from_millis(500);
        let mut connection = self
            .client
            .get_connection_with_timeout(WITHIN)
            .map_err(|error| self.unreachable(error))?;
        // Fails only for a time of zero.
        let _bounded = connection.set_read_timeout(Some(WITHIN));
        match redis::cmd("PING").query::<String>(&mut connection) {
            Ok(_) => Ok(()),
            // It is still loading its data and will be ready.
            Err(error) if is_loading(&error) => Ok(()),
            Err(error) => Err(self.unreachable(error)),
        }
    }

    /// The error for a command that failed with `error`.
    pub(super) fn unreachable(&self, error: RedisError) -> BrokerError {
        BrokerError::Unreachable {
            url: self.shown.clone(),
            source: error,
        }
    }
}

fn socket(url: &Url) -> Result<redis::ConnectionInfo, BrokerError> {
    let path =
        PathBuf::from(without_percent_encoding(url.path()).ok_or(BrokerError::EncodedSocketPath)?);
    let option = |names: &[&str]| {
        url.query_pairs()
            .find(|(name, _)| names.contains(&&**name))
            .map(|(_, value)| value.into_owned())
    };
    let mut settings = RedisConnectionInfo::default();
    if let Some(number) = option(&["db", "virtual_host"]) {
        let number = number.trim_matches('/').parse();
        settings = settings.set_db(number.map_err(|_| BrokerError::DatabaseNumber)?);
    }
    if let Some(user) = option(&["user"]).or_else(|| Some(url.username().to_owned()))
        && !user.is_empty()
    {
        settings = settings.set_username(user);
    }
    if let Some(password) = option(&["pass", "password"]).or(url.password().map(str::to_owned)) {
        settings = settings.set_password(password);
    }
    Ok(ConnectionAddr::Unix(path)
        .into_connection_info()
        .map_err(BrokerError::Settings)?
        .set_redis_settings(settings))
}

/// The path, unless something in it is percent-encoded.
fn without_percent_encoding(path: &str) -> Option<&str> {
    (!path.contains('%')).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Result<Broker, BrokerError> {
        Broker::at(&MaskedUrl::new(url))
    }

    #[test]
    fn every_form_of_url_is_understood_and_no_password_shown() {
        let broker = at("redis://ann:s3cret@127.0.0.1:6379/3").unwrap();
        assert_eq!(broker.database(), 3);
        assert_eq!(broker.shown(), "redis://ann:***@127.0.0.1:6379/3");
        for scheme in ["redis+unix", "redis+socket", "unix"] {
            let broker = at(&format!(
                "{scheme}:///run/r.sock?virtual_host=2&pass=s3cret"
            ))
            .unwrap();
            assert_eq!(broker.database(), 2);
            assert_eq!(broker.shown(), format!("{scheme}:///run/r.sock"));
            assert!(!format!("{broker:?}").contains("s3cret"));
        }
        let broker = at("redis+socket://:s3cret@/run/r.sock").unwrap();
        assert_eq!(broker.shown(), "redis+socket://:***@localhost/run/r.sock");
        assert_eq!(at("rediss://h/").unwrap().database(), 0);
        for bad in ["amqp://h", "redis://h/x", "unix:///s?db=x", "nonsense"] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_broker_that_is_not_there_is_one_sentence() {
        let broker = at("redis://:s3cret@127.0.0.1:1/0").unwrap();
        assert_eq!(
            broker.ping().unwrap_err().to_string(),
            "no broker at redis://:***@127.0.0.1:1/0: connection refused"
        );
        let broker = at("unix:///nowhere/r.sock").unwrap();
        let why = broker.ping().unwrap_err();
        assert!(!why.is_permanent());
        let why = why.to_string();
        assert!(
            why.starts_with("no broker at unix:///nowhere/r.sock: "),
            "{why}"
        );
        assert!(!why.contains("os error"), "{why}");
    }
}
