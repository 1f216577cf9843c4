//! How a check reaches its server, where that is not as for every other: address, family, name
//! server, proxy, certificates.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use url::Url;

use super::MaskedText;

/// How a check reaches its server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionOptions {
    /// `Some(false)`: the certificate is not verified.
    pub verify: Option<bool>,
    /// The family of addresses that are used.
    pub family: Option<AddressFamily>,
    /// Where to connect to, in the place of the host of the URL. Name, Host and SNI stay.
    pub connect_to: Option<ConnectTo>,
    /// The name server that is asked, instead of those of the system and its hosts file.
    pub resolver: Option<SocketAddr>,
    /// The certificate that is shown to servers that want one.
    pub client: Option<ClientCertificate>,
    /// The proxy through which it connects.
    pub proxy: Option<Proxy>,
}

/// The family of addresses that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    /// Either.
    Any,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}

/// Where to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectTo {
    /// The address.
    pub address: IpAddr,
    /// The port; `None` for that of the URL.
    pub port: Option<u16>,
}

/// A certificate of a client, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate and those that vouch for it, in PEM.
    pub chain: Box<str>,
    /// The private key in PEM.
    pub key: MaskedText,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// What it speaks.
    pub protocol: ProxyProtocol,
    /// Its host: a name or an address, an IPv6 address in brackets.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// The user and the password that it wants.
    pub credentials: Option<ProxyCredentials>,
}

/// What a proxy wants to know of its users.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyCredentials {
    /// The user.
    pub user: Box<str>,
    /// The password.
    pub password: MaskedText,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    /// HTTP with CONNECT (RFC 9110 section 9.3.6).
    Http,
    /// SOCKS version 5 (RFC 1928).
    Socks5,
}

impl AddressFamily {
    /// The words of `family`.
    pub const WORDS: [&str; 3] = ["any", "ipv4", "ipv6"];

    /// Whether an address is of this family.
    #[must_use]
    pub const fn holds(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }

    /// Its word in `sites.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

impl fmt::Display for ConnectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None => self.address.fmt(f),
        }
    }
}

impl fmt::Display for Proxy {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            ProxyProtocol::Http => "http",
            ProxyProtocol::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl ConnectionOptions {
    /// As for every other check.
    pub const NONE: &'static Self = &Self {
        verify: None,
        family: None,
        connect_to: None,
        resolver: None,
        client: None,
        proxy: None,
    };

    /// The most bytes of a certificate and of a key.
    const MOST_PEM: usize = 64 * 1024;

    /// Whether the certificate of a server is verified.
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.verify != Some(false)
    }

    /// The family of addresses that are used.
    #[must_use]
    pub fn family(&self) -> AddressFamily {
        self.family.unwrap_or(AddressFamily::Any)
    }

    /// Whether a part of them is a secret.
    #[must_use]
    pub fn have_secrets(&self) -> bool {
        let proxy = self.proxy.as_ref();
        self.client.is_some() || proxy.is_some_and(|proxy| proxy.credentials.is_some())
    }

    /// Whether they are within bounds, for what strangers may have sent.
    #[must_use]
    pub fn are_within_bounds(&self) -> bool {
        let client = self.client.iter();
        let mut pem = client.flat_map(|client| [&*client.chain, client.key.expose()]);
        let short = |text: &str| text.len() <= 255 && !text.contains(char::is_control);
        pem.all(|text| text.len() <= Self::MOST_PEM)
            && self.proxy.as_ref().is_none_or(|proxy| {
                let credentials = proxy.credentials.as_ref();
                short(&proxy.host)
                    && credentials
                        .is_none_or(|known| short(&known.user) && short(known.password.expose()))
            })
    }

    /// What is said here, and of `others` the rest. What is as everywhere is as good as unsaid.
    pub fn apply_to(&self, others: &mut Self) {
        fn set<T: Clone>(to: &mut Option<T>, said: &Option<T>) {
            if said.is_some() {
                to.clone_from(said);
            }
        }
        set(&mut others.verify, &self.verify);
        set(&mut others.family, &self.family);
        set(&mut others.connect_to, &self.connect_to);
        set(&mut others.resolver, &self.resolver);
        set(&mut others.client, &self.client);
        set(&mut others.proxy, &self.proxy);
        others.verify = others.verify.filter(|verify| !verify);
        others.family = others.family.filter(|family| *family != AddressFamily::Any);
    }

    /// Those of a request to `url`, of a check whose site is at `home`, which is the origin of both if
    /// `at_home`: another origin is shown no
    /// certificate of the client's, and is not at the address of the site. That address without a
    /// port is that of the site's host at every port.
    #[must_use]
    pub fn toward(&self, url: &Url, home: &Url, at_home: bool) -> Cow<'_, Self> {
        if at_home || (self.client.is_none() && self.connect_to.is_none()) {
            return Cow::Borrowed(self);
        }
        let same_host = url.host() == home.host();
        let connect_to = self.connect_to;
        Cow::Owned(Self {
            client: None,
            connect_to: connect_to.filter(|to| same_host && to.port.is_none()),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_origin_sees_no_certificate_and_is_not_at_the_address_of_the_site() {
        let to = |port| ConnectionOptions {
            connect_to: Some(ConnectTo {
                address: [192, 0, 2, 1].into(),
                port,
            }),
            client: Some(ClientCertificate {
                chain: "c".into(),
                key: MaskedText::secret("k"),
            }),
            ..ConnectionOptions::NONE.clone()
        };
        let url = |text: &str| Url::parse(text).unwrap();
        let home = url("http://a.example/");
        let near = url("http://a.example/b");
        assert_eq!(*to(None).toward(&near, &home, true), to(None));
        let secure = url("https://a.example/");
        let behind = to(None);
        let behind = behind.toward(&secure, &home, false);
        assert!(behind.connect_to.is_some() && behind.client.is_none());
        let by_port = to(Some(80));
        assert!(by_port.toward(&secure, &home, false).connect_to.is_none());
        let other = url("http://b.example/");
        assert!(to(None).toward(&other, &home, false).connect_to.is_none());
    }
}
