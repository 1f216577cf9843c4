//! The broker: the servers that its URL names, and the connections to the one that is used.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, RedisResult,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::domain::{BrokerAddress, BrokerServer, BrokerUrl, MaskedUrl, clean};

use super::broker_cause::BrokerCause;
use super::broker_certificates::certificates;
use super::broker_error::BrokerError;
use super::broker_greeting::explained;

/// How long the broker may take to reply to a command.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long connecting to a server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long Sentinels may take to name the server.
const SENTINEL_TIMEOUT: Duration = Duration::from_secs(4);

/// A Redis or Valkey server, or several that stand in for each other. A clone uses the same one.
#[derive(Clone)]
pub(super) struct Broker {
    servers: Arc<Servers>,
    shown: Arc<str>,
    database: i64,
}

struct Servers {
    clients: Clients,
    /// How often another server was turned to.
    moves: AtomicU64,
}

enum Clients {
    /// Servers in the order of the URL, and which of them is used.
    Named(Vec<Client>, AtomicUsize),
    /// Those who know the server, the server that they named last, and the name that they know it
    /// by.
    Sentinels(
        Box<Mutex<(SentinelClient, Option<ConnectionAddr>)>>,
        Box<str>,
    ),
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Broker {
    /// The broker of a URL, in one of the forms of [`BrokerUrl::parse`].
    ///
    /// # Errors
    /// If it is no such URL, or a file that it names cannot be read. The error does not show the
    /// password.
    pub(super) fn at(url: &MaskedUrl) -> Result<Self, BrokerError> {
        let url = BrokerUrl::parse(url.expose()).map_err(BrokerError::Url)?;
        let first = url.servers.first();
        let database = first.map_or(0, |server| server.database);
        let clients = match (&url.master, first) {
            (Some(master), Some(first)) => {
                let client = sentinels(&url.servers, master, first);
                let client = client.map_err(BrokerError::Settings)?;
                Clients::Sentinels(Box::new(Mutex::new((client, None))), master.clone())
            }
            _ => {
                let clients: Result<_, _> = url.servers.iter().map(client).collect();
                Clients::Named(clients?, AtomicUsize::new(0))
            }
        };
        Ok(Self {
            servers: Arc::new(Servers {
                clients,
                moves: AtomicU64::new(0),
            }),
            shown: url.shown.into(),
            database,
        })
    }

    /// The URL, without its passwords.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The number of the database.
    pub(super) const fn database(&self) -> i64 {
        self.database
    }

    /// How often another server was turned to: connections from before are of no use.
    pub(super) fn moves(&self) -> u64 {
        self.servers.moves.load(Ordering::Relaxed)
    }

    /// Turns to another server, if there is one and nobody has since `seen` of [`Self::moves`]: the one
    /// that was used then takes no writes.
    pub(super) fn turn_away(&self, seen: u64) {
        if matches!(&self.servers.clients, Clients::Named(clients, _) if clients.len() == 1) {
            return;
        }
        let moves = &self.servers.moves;
        let first = moves.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed);
        // Sentinels are asked again for the next connection.
        if let (Ok(_), Clients::Named(_, used)) = (first, &self.servers.clients) {
            used.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection of its own, on which a reply may take as long as `response`; `None`: for ever.
    pub(super) async fn connect(
        &self,
        response: Option<Duration>,
    ) -> RedisResult<MultiplexedConnection> {
        self.at_a_server(|client| async move {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_TIMEOUT))
                .set_response_timeout(response);
            let mut connection = client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            admitted(&mut connection).await?;
            Ok(connection)
        })
        .await
    }

    /// A connection for subscriptions.
    pub(super) async fn pubsub(&self) -> RedisResult<PubSub> {
        self.at_a_server(|client| async move {
            match timeout(CONNECT_TIMEOUT, client.get_async_pubsub()).await {
                Ok(made) => made,
                Err(_) => Err(silent()),
            }
        })
        .await
    }

    /// Connects to the server that is used; to the next of several if that fails.
    async fn at_a_server<T, F: Future<Output = RedisResult<T>>>(
        &self,
        connect: impl Fn(Client) -> F,
    ) -> RedisResult<T> {
        let (clients, used) = match &self.servers.clients {
            Clients::Named(clients, used) => (clients, used),
            Clients::Sentinels(sentinels, master) => {
                let client = self.ask(sentinels, master).await?;
                return match connect(client.clone()).await {
                    Ok(made) => Ok(made),
                    Err(error) => Err(explained(&client, error).await),
                };
            }
        };
        let first = used.load(Ordering::Relaxed);
        let mut failed = None;
        for number in (0..clients.len()).map(|number| first.wrapping_add(number)) {
            let Some(client) = clients.get(number % clients.len()) else {
                continue;
            };
            let error = match connect(client.clone()).await {
                Ok(made) => {
                    if number != first {
                        used.store(number, Ordering::Relaxed);
                        self.servers.moves.fetch_add(1, Ordering::Relaxed);
                    }
                    return Ok(made);
                }
                Err(error) => explained(client, error).await,
            };
            failed.get_or_insert(error);
        }
        Err(failed.unwrap_or_else(silent))
    }

    /// The server that Sentinels name now.
    async fn ask(
        &self,
        sentinels: &Mutex<(SentinelClient, Option<ConnectionAddr>)>,
        master: &str,
    ) -> RedisResult<Client> {
        let mut sentinels = sentinels.lock().await;
        let client = timeout(SENTINEL_TIMEOUT, sentinels.0.async_get_client()).await;
        let client = client.map_err(|_| silent())?.map_err(|error| {
            if error.kind() == ErrorKind::MasterNameNotFoundBySentinel {
                BrokerCause::UnknownMaster(clean(master, 100).into()).into()
            } else {
                error
            }
        })?;
        let address = client.get_connection_info().addr().clone();
        if sentinels.1.as_ref().is_some_and(|last| *last != address) {
            self.servers.moves.fetch_add(1, Ordering::Relaxed);
        }
        sentinels.1 = Some(address);
        Ok(client)
    }

    /// The error for a command that failed with `error`.
    pub(super) fn unreachable(&self, error: RedisError) -> BrokerError {
        BrokerError::Unreachable {
            url: self.shown.to_string(),
            source: error,
        }
    }
}

/// Whether the server takes commands of this user at all. One that wants a password may close the
/// connection at a long command before it is read, which looks as if it broke.
async fn admitted(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let ping = redis::cmd("PING");
    let Ok(replied) = timeout(RESPONSE_TIMEOUT, ping.exec_async(connection)).await else {
        return Err(silent());
    };
    match replied {
        Err(error) => match BrokerCause::of(&error) {
            // Whatever else it refuses is named by the command that needs it.
            BrokerCause::Refused(refusal, _) if !refusal.of_user => Ok(()),
            BrokerCause::Answer(_) => Ok(()),
            _ => Err(error),
        },
        Ok(()) => Ok(()),
    }
}

/// The error of a broker that does not answer in time.
pub(super) fn silent() -> RedisError {
    BrokerCause::Silent.into()
}

fn address(server: &BrokerServer) -> ConnectionAddr {
    match (&server.address, &server.tls) {
        (BrokerAddress::Socket(path), _) => ConnectionAddr::Unix(path.clone()),
        (BrokerAddress::Tcp(host, port), None) => ConnectionAddr::Tcp(host.to_string(), *port),
        (BrokerAddress::Tcp(host, port), Some(tls)) => ConnectionAddr::TcpTls {
            host: host.to_string(),
            port: *port,
            insecure: tls.unverified,
            tls_params: None,
        },
    }
}

fn client(server: &BrokerServer) -> Result<Client, BrokerError> {
    let mut settings = RedisConnectionInfo::default().set_db(server.database);
    if let Some(user) = &server.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &server.password {
        settings = settings.set_password(password);
    }
    let info = address(server)
        .into_connection_info()
        .map_err(BrokerError::Settings)?
        .set_redis_settings(settings);
    match &server.tls {
        None => Client::open(info),
        Some(tls) => Client::build_with_tls(info, certificates(tls).map_err(BrokerError::File)?),
    }
    .map_err(BrokerError::Settings)
}

/// Those who know the server `master`, whose user, password and database are those of `settings`.
fn sentinels(
    servers: &[BrokerServer],
    master: &str,
    settings: &BrokerServer,
) -> RedisResult<SentinelClient> {
    let addresses = servers.iter().map(address);
    let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
        .set_client_to_redis_db(settings.database);
    if let Some(user) = &settings.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = &settings.password {
        builder = builder.set_client_to_redis_password(password);
    }
    builder.build()
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
        assert!(at("sentinel://a;sentinel://b/1?master_name=m").is_ok());
        for bad in ["amqp://h", "redis://h/x", "unix:///s?db=x", "nonsense"] {
            assert!(at(bad).unwrap_err().is_permanent(), "{bad}");
        }
        let missing = at("rediss://h?ssl_ca_certs=/nowhere/ca.pem").unwrap_err();
        assert_eq!(
            missing.to_string(),
            "/nowhere/ca.pem: cannot be read: there is no such file"
        );
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_one_sentence() {
        let why = async |url: &str| {
            let broker = at(url).unwrap();
            let error = broker.connect(None).await.err().unwrap();
            let error = broker.unreachable(error);
            assert!(!error.is_permanent());
            error.to_string()
        };
        assert_eq!(
            why("redis://:s3cret@127.0.0.1:1/0").await,
            "no broker at redis://:***@127.0.0.1:1/0: connection refused"
        );
        assert_eq!(
            why("unix:///nowhere/r.sock;redis://127.0.0.1:1").await,
            "no broker at unix:///nowhere/r.sock;redis://127.0.0.1:1: there is no such file"
        );
    }
}
