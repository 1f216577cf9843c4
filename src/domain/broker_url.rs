//! The URL of a broker: which servers it names, how they are reached, and what in it is a mistake.
//!
//! The forms are those of kombu, Celery's messaging library
//! (<https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html>).

use std::fmt;
use std::path::PathBuf;

use url::{Host, Url};

use super::masked_url::url_list;
use super::{BrokerUrlError, MaskedUrl, clean};

/// The port of a Redis server where its URL names none.
const REDIS_PORT: u16 = 6_379;

/// The port of a Sentinel where its URL names none.
const SENTINEL_PORT: u16 = 26_379;

/// The servers that a broker's URL names, in order: at least one. Where several are named, the first
/// that can be used is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Redis servers; the Sentinels if `master` is given.
    pub servers: Vec<BrokerServer>,
    /// The name under which Sentinels know the server; `None` if the servers are named themselves.
    pub master: Option<Box<str>>,
    /// The URL without its passwords, for display.
    pub shown: String,
}

/// One server of a broker's URL.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerServer {
    /// The address at which the broker listens.
    pub address: BrokerAddress,
    /// The number of the database.
    pub database: i64,
    /// The user, decoded; `None` for the default user.
    pub user: Option<Box<str>>,
    /// The password, decoded.
    pub password: Option<Box<str>>,
    /// TLS, where the server is reached by it.
    pub tls: Option<BrokerTls>,
}

impl fmt::Debug for BrokerServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerServer")
            .field("address", &self.address)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerAddress {
    /// A host, by name or address without brackets, and a port.
    Tcp(Box<str>, u16),
    /// The path of a Unix socket.
    Socket(PathBuf),
}

/// How TLS to a server is set up; by default its certificate is verified against the system's roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerTls {
    /// Whether any certificate is taken, unverified.
    pub unverified: bool,
    /// A file of certificates in PEM form that are trusted in place of the system's roots.
    pub trusted: Option<PathBuf>,
    /// The files of the client's certificate and of its key, in PEM form.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl BrokerUrl {
    /// Reads a URL, or several with `;` between them, of which a later one without a database has
    /// that of the first, as in kombu:
    /// `redis://[user][:password@]host[:port][/database]`, the same with `rediss://` for TLS,
    /// `redis+socket://[user][:password@]/path` (also `redis+unix` and `unix`), and
    /// `sentinel://[user][:password@]host[:port][/database]?master_name=name`.
    ///
    /// # Errors
    /// If it has another form, or a part that would have to be ignored.
    pub fn parse(text: &str) -> Result<Self, BrokerUrlError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(BrokerUrlError::NotABroker);
        }
        let (mut servers, mut sentinels, mut shown) = (Vec::new(), 0, Vec::new());
        let (mut master, mut database) = (None, None);
        for part in url_list(text) {
            // A URL with a user or password needs a host, which a socket does not have.
            let with_host = part.replacen("@/", "@localhost/", 1);
            let mut url = Url::parse(&with_host).map_err(|_| BrokerUrlError::NotABroker)?;
            let mut part = server(&url)?;
            // What an address does not say is taken from the first one, as kombu does.
            let first = *database.get_or_insert(part.database.unwrap_or_default());
            part.server.database = part.database.unwrap_or(first);
            servers.push(part.server);
            sentinels += usize::from(part.is_sentinel);
            // The name may stand at any of the Sentinels.
            master = master.or(part.master);
            // Parameters may be passwords.
            url.set_query(None);
            shown.push(clean(MaskedUrl::from(url).shown(), 200));
        }
        if sentinels > 0 && sentinels < servers.len() {
            return Err(BrokerUrlError::Mixed);
        }
        if sentinels > 0 && master.is_none() {
            return Err(BrokerUrlError::NoMaster);
        }
        Ok(Self {
            servers,
            master,
            shown: shown.join(";"),
        })
    }
}

/// One URL of a list.
struct Part {
    server: BrokerServer,
    is_sentinel: bool,
    /// The database that it names.
    database: Option<i64>,
    /// The server that the Sentinel is to be asked for.
    master: Option<Box<str>>,
}

fn server(url: &Url) -> Result<Part, BrokerUrlError> {
    if url.fragment().is_some() {
        return Err(BrokerUrlError::Fragment);
    }
    let mut parameters = Parameters::read(url)?;
    let (address, path_database) = match url.scheme() {
        "redis" | "rediss" => (tcp(url, REDIS_PORT)?, url.path()),
        "sentinel" => (tcp(url, SENTINEL_PORT)?, url.path()),
        "redis+socket" | "redis+unix" | "unix" if url.path().len() > 1 => {
            (BrokerAddress::Socket(decoded(url.path()).into()), "")
        }
        scheme if scheme.ends_with("cluster") => return Err(BrokerUrlError::Cluster),
        _ => return Err(BrokerUrlError::NotABroker),
    };
    let path_database = path_database.trim_matches('/');
    let path_database = (!path_database.is_empty()).then(|| path_database.to_owned());
    let database = parameters.one_of(&["db", "virtual_host"], path_database)?;
    let database = match database {
        None => None,
        Some(number) => {
            let number = number.trim_matches('/').parse::<u16>();
            Some(i64::from(number.map_err(|_| BrokerUrlError::Database)?))
        }
    };
    let user = Some(url.username()).filter(|user| !user.is_empty());
    let user = parameters.one_of(&["user", "username"], user.map(decoded))?;
    let password = parameters.one_of(&["pass", "password"], url.password().map(decoded))?;
    let tls = match url.scheme() {
        "rediss" => Some(tls(&mut parameters)?),
        _ => None,
    };
    let is_sentinel = url.scheme() == "sentinel";
    let master = if is_sentinel {
        parameters.one_of(&["master_name"], None)?
    } else {
        None
    };
    parameters.finish()?;
    let server = BrokerServer {
        address,
        database: database.unwrap_or_default(),
        user: user.map(Into::into),
        password: password.map(Into::into),
        tls,
    };
    Ok(Part {
        server,
        is_sentinel,
        database,
        master: master.map(Into::into),
    })
}

fn tcp(url: &Url, port: u16) -> Result<BrokerAddress, BrokerUrlError> {
    let host = match url.host() {
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(Host::Domain(name)) => decoded(name),
        None => String::new(),
    };
    if host.is_empty() {
        return Err(BrokerUrlError::NotABroker);
    }
    Ok(BrokerAddress::Tcp(host.into(), url.port().unwrap_or(port)))
}

fn tls(parameters: &mut Parameters) -> Result<BrokerTls, BrokerUrlError> {
    let required = parameters.one_of(&["ssl_cert_reqs"], None)?;
    // A server always has a certificate: to a client, "optional" is "required" (Python's `ssl`).
    let unverified = match required.as_deref() {
        None | Some("CERT_REQUIRED" | "required" | "CERT_OPTIONAL" | "optional") => false,
        Some("CERT_NONE" | "none") => true,
        Some(_) => {
            let expected = "\"required\" or \"none\"";
            return Err(BrokerUrlError::Value("ssl_cert_reqs", expected));
        }
    };
    let trusted = parameters.one_of(&["ssl_ca_certs"], None)?;
    let certificate = parameters.one_of(&["ssl_certfile"], None)?;
    let key = parameters.one_of(&["ssl_keyfile"], None)?;
    let client = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        _ => return Err(BrokerUrlError::HalfOfClient),
    };
    Ok(BrokerTls {
        unverified,
        trusted: trusted.map(Into::into),
        client,
    })
}

/// The parameters behind the `?` of a URL that were not asked for yet.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(url: &Url) -> Result<Self, BrokerUrlError> {
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in url.query_pairs() {
            if found.iter().any(|(known, _)| *known == name) {
                return Err(BrokerUrlError::Repeated(clean(&name, 40)));
            }
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// Takes the parameter that has one of these names, or the value that stands elsewhere in the
    /// URL.
    fn one_of(
        &mut self,
        names: &[&'static str],
        elsewhere: Option<String>,
    ) -> Result<Option<String>, BrokerUrlError> {
        let mut value = elsewhere;
        let mut before = None;
        for name in names {
            if let Some(place) = self.0.iter().position(|(known, _)| known == name) {
                let (_, given) = self.0.swap_remove(place);
                if value.replace(given).is_some() {
                    return Err(before.map_or_else(
                        || BrokerUrlError::Repeated((*name).to_owned()),
                        |before| BrokerUrlError::Synonyms(before, name),
                    ));
                }
                before = Some(*name);
            }
        }
        Ok(value)
    }

    fn finish(self) -> Result<(), BrokerUrlError> {
        self.0.first().map_or(Ok(()), |(name, _)| {
            Err(BrokerUrlError::UnknownParameter(clean(name, 40)))
        })
    }
}

/// The text without percent-encoding; bytes that are no UTF-8 are replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                // Two digits are below 256.
                bytes.push(u8::try_from(16 * high + low).unwrap_or_default());
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> BrokerServer {
        let mut url = BrokerUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((url.servers.len(), &url.master), (1, &None), "{text}");
        url.servers.remove(0)
    }

    #[test]
    fn each_form_of_url_names_its_server() {
        let server = one("redis://ann:s3cret@127.0.0.1:6380/3");
        let address = BrokerAddress::Tcp("127.0.0.1".into(), 6_380);
        assert_eq!((server.address, server.database), (address, 3));
        assert_eq!(server.user.as_deref(), Some("ann"));
        assert_eq!(server.password.as_deref(), Some("s3cret"));
        let server = one("redis://[2001:db8::1]");
        let address = BrokerAddress::Tcp("2001:db8::1".into(), REDIS_PORT);
        assert_eq!((server.address, server.database), (address, 0));
        for scheme in ["redis+unix", "redis+socket", "unix"] {
            let server = one(&format!("{scheme}:///run/a%20b/r.sock?virtual_host=/2"));
            let address = BrokerAddress::Socket("/run/a b/r.sock".into());
            assert_eq!((server.address, server.database), (address, 2));
        }
        assert_eq!(one("rediss://h?db=4").database, 4);
    }

    #[test]
    fn passwords_are_decoded_and_not_shown() {
        for text in [
            "redis://:p%3Dq%40r%2Bs+t@h/0",
            "redis+socket://:p%3Dq%40r%2Bs+t@/run/r.sock",
            "redis+socket://:p=q%40r+s+t@/run/r.sock",
            "redis+socket:///run/r.sock?password=p%3Dq%40r%2Bs%2Bt",
        ] {
            let server = one(text);
            assert_eq!(server.password.as_deref(), Some("p=q@r+s+t"), "{text}");
            let url = BrokerUrl::parse(text).unwrap();
            assert!(!format!("{url:?}{server:?}").contains("q@r"), "{url:?}");
            assert!(!url.shown.contains('q'), "{}", url.shown);
        }
    }

    /// `findings/kombu-failover-keeps-the-database.sh`
    #[test]
    fn a_later_address_has_the_database_of_the_first_unless_it_names_one() {
        for (text, expected) in [
            ("redis://a/2;redis://b", [2, 2]),
            ("redis://a/2;redis://b/3", [2, 3]),
            ("redis://a;redis://b/3", [0, 3]),
            ("sentinel://a/4?master_name=m;sentinel://b", [4, 4]),
        ] {
            let url = BrokerUrl::parse(text).unwrap();
            let databases: Vec<i64> = url.servers.iter().map(|server| server.database).collect();
            assert_eq!(databases, expected, "{text}");
        }
    }

    #[test]
    fn a_list_names_several_and_sentinels_one() {
        let url = BrokerUrl::parse("redis://:one@a/1;rediss://:two@b:7000/2").unwrap();
        assert_eq!(url.shown, "redis://:***@a/1;rediss://:***@b:7000/2");
        let passwords: Vec<_> = url
            .servers
            .iter()
            .map(|one| one.password.as_deref())
            .collect();
        assert_eq!(passwords, [Some("one"), Some("two")]);
        // A semicolon that no URL follows belongs to the password.
        assert_eq!(one("redis://:a;b@h").password.as_deref(), Some("a;b"));
        let url = BrokerUrl::parse("sentinel://a;sentinel://b:1/3?master_name=main").unwrap();
        assert_eq!(url.master.as_deref(), Some("main"));
        let ports = [("a", SENTINEL_PORT), ("b", 1)]
            .map(|(host, port)| BrokerAddress::Tcp(host.into(), port));
        assert_eq!(
            url.servers
                .iter()
                .map(|one| one.address.clone())
                .collect::<Vec<_>>(),
            ports
        );
    }

    #[test]
    fn tls_is_set_up_as_celery_sets_it_up() {
        let tls = |query: &str| one(&format!("rediss://h/0?{query}")).tls.unwrap();
        assert_eq!(tls("ssl_cert_reqs=CERT_REQUIRED"), BrokerTls::default());
        assert!(tls("ssl_cert_reqs=none").unverified);
        let full = tls("ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem");
        assert_eq!(full.trusted, Some("/ca.pem".into()));
        assert_eq!(full.client, Some(("/c.pem".into(), "/k.pem".into())));
    }

    #[test]
    fn nothing_is_ignored() {
        let parameter = |name: &str| BrokerUrlError::UnknownParameter(name.to_owned());
        let twice = |name: &str| BrokerUrlError::Repeated(name.to_owned());
        for (text, error) in [
            ("", BrokerUrlError::NotABroker),
            ("amqp://h", BrokerUrlError::NotABroker),
            ("redis://", BrokerUrlError::NotABroker),
            ("redis:///0", BrokerUrlError::NotABroker),
            ("127.0.0.1:6379", BrokerUrlError::NotABroker),
            ("unix:", BrokerUrlError::NotABroker),
            ("redis://a;amqp://b", BrokerUrlError::NotABroker),
            ("redis://h/x", BrokerUrlError::Database),
            ("redis://h/-1", BrokerUrlError::Database),
            ("unix:///s?db=x", BrokerUrlError::Database),
            ("redis://:a#b@h/0", BrokerUrlError::NotABroker),
            ("redis://h/0#x", BrokerUrlError::Fragment),
            ("redis://h/0?pasword=x", parameter("pasword")),
            ("redis://h/0?ssl_cert_reqs=none", parameter("ssl_cert_reqs")),
            ("redis://h/0?master_name=m", parameter("master_name")),
            ("redis://h/0?protocol=resp3", parameter("protocol")),
            ("redis://h/0?db=1", twice("db")),
            (
                "unix:///s?db=1&virtual_host=2",
                BrokerUrlError::Synonyms("db", "virtual_host"),
            ),
            ("redis-cluster://h", BrokerUrlError::Cluster),
            ("redis+cluster://h:6379/0", BrokerUrlError::Cluster),
            ("redis://h/99999", BrokerUrlError::Database),
            ("unix:///s?db=1&db=2", twice("db")),
            ("redis://:a@h/0?password=b", twice("password")),
            (
                "rediss://h?ssl_cert_reqs=maybe",
                BrokerUrlError::Value("ssl_cert_reqs", "\"required\" or \"none\""),
            ),
            ("rediss://h?ssl_certfile=/c", BrokerUrlError::HalfOfClient),
            ("sentinel://h", BrokerUrlError::NoMaster),
            (
                "sentinel://h?master_name=m;redis://h",
                BrokerUrlError::Mixed,
            ),
        ] {
            assert_eq!(BrokerUrl::parse(text), Err(error), "{text}");
        }
    }
}
