//! Ways to a server: certificates of clients, proxies, and mistakes in the keys about them.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{CertKind, Fleet, Script, Squirrel, paradigms};

const FINE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// Reads to the end of a head.
async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A server that wants a certificate of its clients.
fn wanting(fleet: &Fleet) -> u16 {
    let mut roots = RootCertStore::empty();
    roots.add(fleet.certificates().ca_der()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
        .build()
        .unwrap();
    let pem = fleet.certificates().pem(CertKind::Good);
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    fleet.block_on(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    head(&mut stream).await;
                    let _ = stream.write_all(FINE).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        port
    })
}

#[test]
fn a_server_that_wants_a_certificate_gets_it_under_every_paradigm() {
    let fleet = Fleet::new();
    let port = wanting(&fleet);
    let squirrel = Squirrel::new();
    let (certificate, key) = fleet.certificates().pair_pem();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    squirrel.write("client.pem", &certificate);
    squirrel.write("client.key", &key);
    squirrel.write("both.pem", format!("{key}{certificate}"));
    let url = format!("url = \"https://localhost:{port}/\"");
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\nca_file = \"ca.pem\"\n\
             [[sites]]\nname = \"apart\"\n{url}\nclient_cert = \"client.pem\"\nclient_key = \"client.key\"\n\
             [[sites]]\nname = \"both\"\n{url}\nclient_cert = \"both.pem\"\n\
             [[sites]]\nname = \"none\"\n{url}\n"
        ),
    );
    for paradigm in paradigms() {
        let words = [
            "check",
            "--config",
            "sites.toml",
            "--paradigm",
            paradigm,
            "--format",
            "json",
        ];
        let finished = squirrel.run(words);
        finished.assert_no_panic();
        let lines = finished.objects();
        let of = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
        for name in ["apart", "both"] {
            assert_eq!(of(name)["verdict"], "up", "{paradigm}: {}", of(name));
        }
        assert_eq!(of("none")["verdict"], "down", "{paradigm}");
        assert_eq!(of("none")["reason"], "tls", "{paradigm}: {}", of("none"));
    }
}

/// What proxies were asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy that resolves every name to this machine; it wants the user "me" with "pw-hunter2" if
/// `locked`.
fn proxy(fleet: &Fleet, socks: bool, locked: bool) -> (u16, Asked) {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    let port = fleet.block_on(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let notes = Arc::clone(&notes);
                tokio::spawn(async move {
                    let wanted = if socks {
                        by_socks(&mut stream, locked).await
                    } else {
                        by_connect(&mut stream, locked).await
                    };
                    let Some((host, port)) = wanted else { return };
                    notes.lock().unwrap().push(host);
                    let server = (Ipv4Addr::LOCALHOST, port);
                    let Ok(mut server) = TcpStream::connect(server).await else {
                        return;
                    };
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
                });
            }
        });
        port
    });
    (port, asked)
}

async fn by_connect(stream: &mut TcpStream, locked: bool) -> Option<(String, u16)> {
    let head = head(stream).await;
    let authority = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    let (host, port) = authority.rsplit_once(':')?;
    // me:pw-hunter2
    if locked && !head.contains("Proxy-Authorization: Basic bWU6cHctaHVudGVyMg==\r\n") {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
        stream.write_all(refusal).await.ok()?;
        return None;
    }
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        .await
        .ok()?;
    Some((host.to_owned(), port.parse().ok()?))
}

async fn by_socks(stream: &mut TcpStream, locked: bool) -> Option<(String, u16)> {
    assert_eq!(stream.read_u8().await.ok()?, 5);
    let mut methods = vec![0; usize::from(stream.read_u8().await.ok()?)];
    stream.read_exact(&mut methods).await.ok()?;
    if locked {
        if !methods.contains(&2) {
            stream.write_all(&[5, 0xff]).await.ok()?;
            return None;
        }
        stream.write_all(&[5, 2]).await.ok()?;
        assert_eq!(stream.read_u8().await.ok()?, 1);
        let mut words = Vec::new();
        for _ in 0..2 {
            let mut word = vec![0; usize::from(stream.read_u8().await.ok()?)];
            stream.read_exact(&mut word).await.ok()?;
            words.push(String::from_utf8(word).ok()?);
        }
        let good = words == ["me", "pw-hunter2"];
        stream.write_all(&[1, u8::from(!good)]).await.ok()?;
        if !good {
            return None;
        }
    } else {
        stream.write_all(&[5, 0]).await.ok()?;
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await.ok()?;
    assert_eq!(request[..3], [5, 1, 0]);
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await.ok()?;
            Ipv4Addr::from(address).to_string()
        }
        3 => {
            let mut name = vec![0; usize::from(stream.read_u8().await.ok()?)];
            stream.read_exact(&mut name).await.ok()?;
            String::from_utf8(name).ok()?
        }
        _ => return None,
    };
    let port = stream.read_u16().await.ok()?;
    stream.write_all(&[5, 0, 0, 3, 1, b'x', 0, 0]).await.ok()?;
    Some((host, port))
}

#[test]
fn proxies_get_the_name_and_lead_to_the_server_under_every_paradigm() {
    let mut fleet = Fleet::new();
    let script = |toml: &str| -> Script { toml::from_str(toml).unwrap() };
    let plain = fleet.serve(script(r"'*' = ['HTTP/1.1 204 No Content\r\n\r\n']"));
    let secure = fleet.serve(script(
        "tls = 'good'\n'*' = ['HTTP/1.1 204 No Content\\r\\n\\r\\n']",
    ));
    let (http, asked_http) = proxy(&fleet, false, false);
    let (socks, asked_socks) = proxy(&fleet, true, false);
    let (locked_http, _) = proxy(&fleet, false, true);
    let (locked_socks, _) = proxy(&fleet, true, true);
    let squirrel = Squirrel::new().through([
        "/usr/bin/env",
        "PROXY_PASSWORD=pw-hunter2",
        &format!("PROXY=http://me:pw-hunter2@127.0.0.1:{locked_http}"),
        // Never taken unasked.
        "http_proxy=http://127.0.0.1:1",
        "ALL_PROXY=http://127.0.0.1:1",
    ]);
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let (plain_port, secure_port) = (plain.address.port(), secure.address.port());
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\nca_file = \"ca.pem\"\n\
             [[defaults]]\ntags = [\"inner\"]\nproxy = \"http://127.0.0.1:{http}\"\n\
             [[sites]]\nname = \"by default\"\nurl = \"http://inner.invalid:{plain_port}/\"\ntags = [\"inner\"]\n\
             [[sites]]\nname = \"secure\"\nurl = \"https://localhost:{secure_port}/\"\nproxy = \"http://localhost:{http}\"\n\
             [[sites]]\nname = \"socks\"\nurl = \"http://inner.invalid:{plain_port}/s\"\nproxy = \"socks5://127.0.0.1:{socks}\"\n\
             [[sites]]\nname = \"address\"\nurl = \"http://127.0.0.9:{plain_port}/\"\nproxy = \"socks5://127.0.0.1:{socks}\"\n\
             [[sites]]\nname = \"locked\"\nurl = \"http://inner.invalid:{plain_port}/l\"\nproxy = {{ env = \"PROXY\" }}\n\
             [[sites]]\nname = \"locked socks\"\nurl = \"https://localhost:{secure_port}/l\"\n\
             proxy = {{ url = \"socks5://127.0.0.1:{locked_socks}\", user = \"me\", password = {{ env = \"PROXY_PASSWORD\" }} }}\n\
             [[sites]]\nname = \"direct\"\nurl = \"http://127.0.0.1:{plain_port}/d\"\n"
        ),
    );
    for paradigm in paradigms() {
        let words = ["check", "--config", "sites.toml", "--paradigm", paradigm];
        let finished = squirrel.run(words);
        finished.assert_no_panic();
        let out = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_eq!(finished.code(), 0, "{paradigm}: {}{out}", finished.stderr);
        assert!(!out.contains("hunter2") && !finished.stderr.contains("hunter2"));
    }
    let hosts = |asked: &Asked| {
        let mut hosts = std::mem::take(&mut *asked.lock().unwrap());
        hosts.sort();
        hosts.dedup();
        hosts
    };
    assert_eq!(hosts(&asked_http), ["inner.invalid", "localhost"]);
    assert_eq!(hosts(&asked_socks), ["127.0.0.9", "inner.invalid"]);
}

#[test]
fn mistakes_in_the_way_to_a_server_are_named_and_show_no_secret() {
    let fleet = Fleet::new();
    let squirrel = Squirrel::new().through(["/usr/bin/env", "PROXY=hunter2"]);
    let (certificate, key) = fleet.certificates().pair_pem();
    squirrel.write("client.pem", &certificate);
    squirrel.write("client.key", &key);
    squirrel.write("other.key", fleet.certificates().pem(CertKind::Good));
    squirrel.write("hunter2.pem", "hunter2");
    squirrel.write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    let proxy =
        "expected a proxy such as \"http://proxy.example.org:3128\" or \"socks5://127.0.0.1:1080\"";
    for (key, at, why) in [
        (
            "family = \"ipv5\"",
            "3:10: sites[0].family",
            "expected one of \"any\", \"ipv4\", \"ipv6\"",
        ),
        (
            "family = \"ipv6\"",
            "3:10: sites[0].family",
            "127.0.0.1 is of the other family",
        ),
        (
            "connect_to = \"example.org\"",
            "3:14: sites[0].connect_to",
            "expected an address such as",
        ),
        (
            "resolver = \"dns.example\"",
            "3:12: sites[0].resolver",
            "expected the address of a name server",
        ),
        (
            "verify = \"no\"",
            "3:10: sites[0].verify",
            "expected true or false, got \"no\"",
        ),
        (
            "client_cert = \"none.pem\"",
            "3:15: sites[0].client_cert",
            "the file cannot be read: there is no such file",
        ),
        (
            "client_cert = \"hunter2.pem\"",
            "3:15: sites[0].client_cert",
            "the file holds no certificate in PEM",
        ),
        (
            "client_cert = \"client.pem\"",
            "3:15: sites[0].client_cert",
            "the file holds no private key in PEM",
        ),
        (
            "client_key = \"client.key\"",
            "3:14: sites[0].client_key",
            "a key needs its certificate",
        ),
        (
            "client_cert = \"client.pem\"\nclient_key = \"other.key\"",
            "4:14: sites[0].client_key",
            "the private key is not that of the certificate",
        ),
        (
            "client_cert = \"client.pem\"\nclient_key = \"locked.key\"",
            "4:14: sites[0].client_key",
            "the key is encrypted",
        ),
        ("proxy = \"https://hunter2\"", "3:9: sites[0].proxy", proxy),
        (
            "proxy = { env = \"PROXY\" }",
            "3:17: sites[0].proxy.env",
            proxy,
        ),
        (
            "proxy = { env = \"UNSET\" }",
            "3:17: sites[0].proxy.env",
            "the environment variable UNSET is not set",
        ),
        (
            "proxy = { url = \"socks5://p\", user = \"hunter2\" }",
            "3:9: sites[0].proxy",
            "`user` and `password` belong together",
        ),
        (
            "proxy = 1",
            "3:9: sites[0].proxy",
            "expected a text, got a number",
        ),
    ] {
        squirrel.write(
            "sites.toml",
            format!("[[sites]]\nurl = \"http://127.0.0.1:1/\"\n{key}\n"),
        );
        for command in ["config check", "check"] {
            let words = command.split(' ').chain(["--config", "sites.toml"]);
            let finished = squirrel.run(words);
            finished.assert_no_panic();
            assert_eq!(finished.code(), 2, "{command}\n{key}\n{}", finished.stderr);
            let expected = format!("sites.toml:{at}: {why}");
            assert!(
                finished.stderr.contains(&expected),
                "{key}\n{}",
                finished.stderr
            );
            let hidden = finished.stderr.replace("hunter2.pem", "");
            assert!(!hidden.contains("hunter2"), "{key}\n{}", finished.stderr);
        }
    }
}

#[test]
fn a_certificate_that_is_not_verified_is_warned_of() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[[sites]]\nurl = \"https://127.0.0.1:1/\"\nverify = false\n",
    );
    let finished = squirrel.run(["config", "check", "--config", "sites.toml"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let warning = "sites.toml:3:10: sites[0].verify: certificates are not verified";
    assert!(finished.stderr.contains(warning), "{}", finished.stderr);
}

#[test]
fn secrets_without_a_key_of_the_queue_are_warned_of() {
    let squirrel = Squirrel::new();
    let list = |key: &str| {
        format!(
            "[queue]\nbroker = \"redis://127.0.0.1:1/0\"\n{key}\n\
             [[sites]]\nurl = \"https://127.0.0.1:1/\"\nbearer = \"hunter2\"\n"
        )
    };
    let warning = "sites.toml:1:1: queue.key: 1 site with secrets, and no key to seal them";
    for (key, warned) in [("", true), ("key = \"queue-key\"", false)] {
        squirrel.write("sites.toml", list(key));
        let finished = squirrel.run(["config", "check", "--config", "sites.toml"]);
        assert_eq!(finished.code(), 0, "{}", finished.stderr);
        assert_eq!(
            finished.stderr.contains(warning),
            warned,
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_body_for_many_is_sent_by_the_methods_that_send_one() {
    let mut fleet = Fleet::new();
    let script: Script = toml::from_str(
        r"'POST /all ping' = ['HTTP/1.1 204 No Content\r\n\r\n']
        'PUT /some pong' = ['HTTP/1.1 204 No Content\r\n\r\n']
        'POST /own own' = ['HTTP/1.1 204 No Content\r\n\r\n']
        'HEAD /none' = ['HTTP/1.1 204 No Content\r\n\r\n']",
    )
    .unwrap();
    let server = fleet.serve(script);
    let at = &server.authority;
    let squirrel = Squirrel::new();
    squirrel.write("pong", "pong");
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\nbody = \"ping\"\n\
             [[defaults]]\ntags = [\"some\"]\nbody = {{ file = \"pong\" }}\n\
             [[sites]]\nurl = \"http://{at}/all\"\nmethod = \"POST\"\n\
             [[sites]]\nurl = \"http://{at}/some\"\nmethod = \"PUT\"\ntags = [\"some\"]\n\
             [[sites]]\nurl = \"http://{at}/own\"\nmethod = \"POST\"\nbody = \"own\"\n\
             [[sites]]\nurl = \"http://{at}/none\"\n"
        ),
    );
    for paradigm in paradigms() {
        let words = ["check", "--config", "sites.toml", "--paradigm", paradigm];
        let finished = squirrel.run(words);
        let out = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_eq!(finished.code(), 0, "{paradigm}: {}{out}", finished.stderr);
        assert!(server.count.take_unexpected().is_empty());
    }
}
