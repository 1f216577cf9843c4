//! The keys that say how a server is reached: `verify`, `family`, `connect_to`, `resolver`,
//! `client_cert`, `client_key` and `proxy`.

use std::net::{IpAddr, SocketAddr};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use url::Url;

use crate::domain::{
    AddressFamily, ClientCertificate, ConnectTo, ConnectionOptions, MaskedText, Proxy,
    ProxyCredentials, ProxyProtocol,
};

use super::files::{self, SourceFile};
use super::key_path::KeyPath;
use super::key_reference::{KeyReference, key, plain};
use super::notify_table::SecretReader;
use super::table_reader::TableReader;
use super::value_parsers::{self, Parsed, ValueError, none_of};

/// The largest file of a certificate or a key.
const MOST_PEM_BYTES: u64 = 64 << 10;

/// The port of name servers.
const DNS_PORT: u16 = 53;

/// The reference of the keys; `inherited` is the default where they stand in `[monitor]` as well.
#[rustfmt::skip]
pub(super) fn connection_keys(inherited: Option<&String>) -> Vec<KeyReference> {
    let own = |default: &str| Some(inherited.cloned().unwrap_or_else(|| plain(default)));
    let none = || inherited.cloned();
    vec![
        key("verify", "flag", "", own("true"), "`false`: certificates are not verified, which the screen and `config check` say"),
        key("family", "text", "`any`, `ipv4` or `ipv6`", own("\"any\""), "the family of addresses that are used"),
        key("connect_to", "address", "with a port or without", none(), "where to connect to in the place of the host; its name stays, in `Host` and in TLS"),
        key("resolver", "address", "with a port or 53", none(), "the name server that is asked, instead of those of the system and `/etc/hosts`"),
        key("client_cert", "path", "relative to `sites.toml`", none(), "a certificate in PEM for servers that want one, its key in the same file or in `client_key`"),
        key("client_key", "path", "relative to `sites.toml`", none(), "the private key of `client_cert`, in PEM"),
        key("proxy", "URL, or a table", "`http://` or `socks5://`, or `{ env }`, `{ file }`", none(), "the proxy through which it connects; `user` and `password` stand beside `url` in the table"),
    ]
}

/// The reference of the keys of `proxy`, where it is a table.
pub(super) fn proxy_keys() -> Vec<KeyReference> {
    let required = || Some("required".to_owned());
    let place = "or `{ env }`, `{ file }`";
    let kinds = "`http://` or `socks5://`";
    vec![
        key("proxy.url", "URL", kinds, required(), "the proxy"),
        key("proxy.user", "text", "1 to 255 bytes", None, "its user"),
        key("proxy.password", "text", place, None, "the password"),
    ]
}

/// Reads the keys of a table.
pub(super) fn read_connection(
    table: &mut TableReader<'_>,
    secrets: SecretReader<'_>,
) -> ConnectionOptions {
    let verify = table.flag("verify");
    if verify == Some(false) {
        let (at, key) = (table.offset("verify"), KeyPath::Key(&table.at, "verify"));
        let sentence =
            "certificates are not verified: anybody on the way can pretend to be the site";
        table.sink.warning(at, &key, &sentence);
    }
    ConnectionOptions {
        verify,
        family: table.text("family", family),
        connect_to: table.text("connect_to", connect_to),
        resolver: table.text("resolver", name_server),
        client: read_client(table, secrets),
        proxy: read_proxy(table, secrets),
    }
}

fn family(text: &str) -> Parsed<AddressFamily> {
    let all = [AddressFamily::Any, AddressFamily::Ipv4, AddressFamily::Ipv6];
    let found = all.into_iter().find(|family| family.word() == text);
    found.ok_or_else(|| none_of(text, &AddressFamily::WORDS))
}

/// An address with a port, or without one.
fn address(text: &str) -> Option<ConnectTo> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
        return Some(ConnectTo {
            address,
            port: None,
        });
    }
    let whole: SocketAddr = text.parse().ok()?;
    (whole.port() != 0).then(|| ConnectTo {
        address: whole.ip(),
        port: Some(whole.port()),
    })
}

fn connect_to(text: &str) -> Parsed<ConnectTo> {
    address(text).ok_or_else(|| {
        ValueError::expected("expected an address such as \"203.0.113.7\" or \"203.0.113.7:8443\"")
    })
}

fn name_server(text: &str) -> Parsed<SocketAddr> {
    let server = address(text).ok_or_else(|| {
        ValueError::expected(
            "expected the address of a name server such as \"10.0.0.2\" or \"10.0.0.2:5353\"",
        )
    })?;
    Ok(SocketAddr::new(
        server.address,
        server.port.unwrap_or(DNS_PORT),
    ))
}

fn read_client(
    table: &mut TableReader<'_>,
    secrets: SecretReader<'_>,
) -> Option<ClientCertificate> {
    let read = |name: &str| -> Parsed<String> {
        let name = value_parsers::some(name)?;
        if !secrets.are_read() {
            return Ok(String::new());
        }
        let path = secrets.files.folder.join(&*name);
        let (bytes, metadata) = files::regular(&path, MOST_PEM_BYTES)
            .map_err(|error| ValueError::Plain(format!("the file cannot be read: {error}")))?;
        let source = SourceFile::new(&path, &bytes, &metadata).named();
        secrets.files.sources.borrow_mut().push(source);
        String::from_utf8(bytes).map_err(|_| ValueError::Plain("the file is not PEM".to_owned()))
    };
    let certificate = table.text("client_cert", read);
    let key = table.private_text("client_key", read);
    if table.has("client_key") && !table.has("client_cert") {
        table.refuse(
            "client_key",
            &"a key needs its certificate: name it by `client_cert`",
        );
    }
    let chain = certificate?;
    if table.has("client_key") && key.is_none() || !secrets.are_read() {
        return None;
    }
    let (key, at) = match key {
        Some(key) => (key, "client_key"),
        None => (chain.clone(), "client_cert"),
    };
    match pair_fault(&chain, &key) {
        None => Some(ClientCertificate {
            chain: certificates_alone(&chain).into(),
            key: MaskedText::secret(key),
        }),
        Some(fault) => {
            table.refuse(if fault.of_key { at } else { "client_cert" }, &fault.why);
            None
        }
    }
}

/// What is wrong with a certificate and its key.
struct PairFault {
    of_key: bool,
    why: &'static str,
}

fn pair_fault(chain: &str, key: &str) -> Option<PairFault> {
    let fault = |of_key, why| Some(PairFault { of_key, why });
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let Ok(certificates) = certificates else {
        return fault(false, "the file is not valid PEM");
    };
    if certificates.is_empty() {
        return fault(false, "the file holds no certificate in PEM");
    }
    if key.contains("ENCRYPTED PRIVATE KEY") || key.contains("Proc-Type: 4,ENCRYPTED") {
        return fault(
            true,
            "the key is encrypted: it is needed without a passphrase",
        );
    }
    let Ok(key) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        return fault(
            true,
            "the file holds no private key in PEM; `client_key` names another file",
        );
    };
    let provider = rustls::crypto::ring::default_provider();
    let known = CryptoProvider::get_default().map_or(&provider, |known| known);
    let Ok(key) = known.key_provider.load_private_key(key) else {
        return fault(
            true,
            "the file holds a private key of a kind that cannot be used",
        );
    };
    match CertifiedKey::new(certificates, key).keys_match() {
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) | Ok(()) => None,
        Err(_) => fault(true, "the private key is not that of the certificate"),
    }
}

/// The certificates of a file that may hold the key as well.
fn certificates_alone(pem: &str) -> String {
    let mut kept = String::new();
    for block in pem.split_inclusive("-----END ") {
        if let Some(begin) = block.find("-----BEGIN CERTIFICATE-----") {
            kept.push_str(&block[begin..]);
            kept.push_str("CERTIFICATE-----\n");
        }
    }
    kept
}

/// Reads `proxy`: a URL, a table with the URL and credentials, or where the URL is kept.
fn read_proxy(table: &mut TableReader<'_>, secrets: SecretReader<'_>) -> Option<Proxy> {
    let is_place = table.has_within("proxy", "env") || table.has_within("proxy", "file");
    if !table.has_table("proxy") || is_place {
        let check = |text: &str| proxy_url(text).map(drop);
        let secret = secrets.read_checked(table, "proxy", &check)?;
        let text = secrets.masked(&secret);
        return proxy_url(text.expose()).ok();
    }
    table.table("proxy", |table| read_proxy_table(table.private(), secrets))?
}

fn read_proxy_table(mut table: TableReader<'_>, secrets: SecretReader<'_>) -> Option<Proxy> {
    let proxy = table.private_text("url", proxy_url);
    let user = table.text("user", proxy_word);
    let password = secrets.read_text(&mut table, "password", &|text| proxy_word(text).map(drop));
    table.require("url");
    if table.has("user") != table.has("password") {
        table.refuse_self(&"`user` and `password` belong together");
    }
    table.finish();
    let mut proxy = proxy?;
    if let (Some(user), Some(password)) = (user, password) {
        proxy.credentials = Some(ProxyCredentials { user, password });
    }
    Some(proxy)
}

/// A user or a password, each of at most 255 bytes (RFC 1929 section 2).
fn proxy_word(text: &str) -> Parsed<Box<str>> {
    if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
        let why = "expected 1 to 255 bytes without control characters";
        return Err(ValueError::Plain(why.to_owned()));
    }
    Ok(text.into())
}

/// `http://` or `socks5://`, a host, a port, and perhaps a user and a password. The sentence
/// about it does not show it, because it may hold a password.
fn proxy_url(text: &str) -> Parsed<Proxy> {
    const EXPECTED: &str =
        "expected a proxy such as \"http://proxy.example.org:3128\" or \"socks5://127.0.0.1:1080\"";
    let wrong = || ValueError::Plain(EXPECTED.to_owned());
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let (protocol, port) = match url.scheme() {
        "http" => (ProxyProtocol::Http, 80),
        "socks5" | "socks5h" => (ProxyProtocol::Socks5, 1080),
        _ => return Err(wrong()),
    };
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(wrong)?;
    let path_is_empty = matches!(url.path(), "" | "/");
    if !path_is_empty || url.query().is_some() || url.port() == Some(0) {
        return Err(wrong());
    }
    let decoded = |text: &str| -> Parsed<Box<str>> {
        let text = percent_encoding::percent_decode_str(text).decode_utf8();
        proxy_word(&text.map_err(|_| wrong())?)
    };
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some(ProxyCredentials {
            user: decoded(user)?,
            password: MaskedText::secret(decoded(password.unwrap_or_default())?),
        }),
    };
    Ok(Proxy {
        protocol,
        host: host.into(),
        port: url.port().unwrap_or(port),
        credentials,
    })
}

impl SecretReader<'_> {
    /// Whether the files of secrets are read.
    fn are_read(self) -> bool {
        // What cannot be read is empty.
        self.used != super::secret::SecretUse::Unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_ports_or_not() {
        let shown = |text| address(text).map(|to| to.to_string());
        for (text, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:8443", "203.0.113.7:8443"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:53", "[2001:db8::1]:53"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected));
        }
        for text in [
            "",
            "example.org",
            "1.2.3.4:0",
            "1.2.3.4:x",
            "1.2.3",
            "[1.2.3.4",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn proxies_are_of_two_kinds_and_show_no_password() {
        let proxy = proxy_url("socks5://me:p%40w@[::1]:9").ok().unwrap();
        assert_eq!(proxy.to_string(), "socks5://[::1]:9");
        let credentials = proxy.credentials.as_ref().unwrap();
        assert_eq!(
            (&*credentials.user, credentials.password.expose()),
            ("me", "p@w")
        );
        assert!(!format!("{proxy:?}").contains("p@w"));
        assert_eq!(proxy_url("http://p.example").ok().unwrap().port, 80);
        for text in [
            "",
            "https://p:1",
            "p:1",
            "http://p/x",
            "http://p:0",
            "socks4://p",
            "http://",
        ] {
            assert!(proxy_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_in_the_file_of_the_certificate_is_kept_apart_from_it() {
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
                   -----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n";
        let alone = certificates_alone(pem);
        assert_eq!(
            alone,
            "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
        );
    }
}
