//! The servers themselves: that they do what their scripts say, told by bare sockets.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::sites::Played;
use crate::support::{CertKind, Fleet, Script, Server, all_scenarios};

const PATIENCE: Duration = Duration::from_secs(10);

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// Asks, and reads to the end or the error that comes instead; at most `most` bytes.
async fn ask(server: &Server, request: &str, most: u64) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_all(&mut stream, most).await
}

async fn read_all(
    stream: &mut (impl AsyncRead + Unpin),
    most: u64,
) -> (Vec<u8>, Option<ErrorKind>) {
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.take(most).read_to_end(&mut answer))
        .await
        .unwrap();
    (answer, end.err().map(|error| error.kind()))
}

#[test]
fn the_most_exact_answer_is_taken() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        "'HEAD /a' = ['exact']\n'* /a' = ['path']\nHEAD = ['method']\n'*' = ['any']",
    ));
    fleet.block_on(async {
        for (request, answer) in [
            ("HEAD /a", "exact"),
            ("GET /a", "path"),
            ("HEAD /b", "method"),
            ("GET /b", "any"),
        ] {
            let request = format!("{request} HTTP/1.1\r\n\r\n");
            assert_eq!(
                ask(&server, &request, 99).await.0,
                answer.as_bytes(),
                "{request}"
            );
        }
    });
    assert_eq!(server.count.connections(), 4);
    assert_eq!(server.count.requests(), 4);
    assert_eq!(server.count.take_unexpected(), Vec::<String>::new());
}

#[test]
fn a_request_without_an_answer_is_recorded_and_closed() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script("HEAD = ['x']"));
    let (answer, _) = fleet.block_on(ask(&server, "GET /q HTTP/1.1\r\n\r\n", 99));
    assert_eq!(answer, b"");
    assert_eq!(server.count.take_unexpected(), ["GET /q"]);
}

#[test]
fn servers_reset_close_flood_and_half_close() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"
        '* /reset' = ['half', { wait = '20ms' }, { reset = true }]
        '* /close' = []
        '* /flood' = [{ send = '0123456789', forever = true }]
        '* /times' = [{ send = '\x9b\e', times = 100000 }]
        '* /half' = ['end', { half_close = true }, { hang = true }]
        ",
    ));
    fleet.block_on(async {
        let get = |path: &str| format!("GET /{path} HTTP/1.1\r\n\r\n");
        let (_, error) = ask(&server, &get("reset"), 99).await;
        assert_eq!(error, Some(ErrorKind::ConnectionReset));
        assert_eq!(ask(&server, &get("close"), 99).await, (Vec::new(), None));
        let (flood, error) = ask(&server, &get("flood"), 5_000_000).await;
        assert_eq!((flood.len(), error), (5_000_000, None));
        assert!(flood.starts_with(b"01234567890123") && flood.ends_with(b"6789"));
        assert_eq!(
            ask(&server, &get("times"), u64::MAX).await.0,
            b"\x9b\x1b".repeat(100_000)
        );
        assert_eq!(
            ask(&server, &get("half"), 99).await,
            (b"end".to_vec(), None)
        );
    });
}

#[test]
fn servers_hang_and_drip() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        "'* /hang' = ['x', { hang = true }]\n'* /drip' = [{ send = 'y', forever = true, every = '10ms' }]",
    ));
    fleet.block_on(async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream
            .write_all(b"GET /hang HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        let more = timeout(Duration::from_millis(100), stream.read_u8()).await;
        assert!(more.is_err(), "{more:?}");

        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream
            .write_all(b"GET /drip HTTP/1.1\r\n\r\n")
            .await
            .unwrap();
        let mut buffer = [0; 64];
        for _ in 0..5 {
            let count = timeout(PATIENCE, stream.read(&mut buffer))
                .await
                .unwrap()
                .unwrap();
            assert!((1..64).contains(&count), "a drip, not a flood: {count}");
        }
    });
}

#[test]
fn ports_refuse_hang_and_are_held() {
    let mut fleet = Fleet::new();
    let refused = fleet.serve(script("listen = 'refuse'"));
    let hole = fleet.serve(script("listen = 'blackhole'"));
    let six = fleet.serve(script("host = '[::1]'\n'*' = ['six']"));
    fleet.block_on(async {
        let error = TcpStream::connect(refused.address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        for _ in 0..3 {
            let connect = TcpStream::connect(hole.address);
            assert!(timeout(Duration::from_millis(100), connect).await.is_err());
        }
        assert_eq!(ask(&six, "GET / HTTP/1.1\r\n\r\n", 99).await.0, b"six");
    });
    assert!(six.authority.starts_with("[::1]:"));
}

#[test]
fn requests_that_gather_are_counted_together() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script("'*' = [{ gather = 3 }, 'x']"));
    fleet.block_on(async {
        let request = "GET / HTTP/1.1\r\n\r\n";
        let alone = timeout(Duration::from_millis(100), ask(&server, request, 9)).await;
        assert!(alone.is_err(), "answered though alone");
        // The one that gave up is still held; two more make three.
        let (one, two) = tokio::join!(ask(&server, request, 9), ask(&server, request, 9));
        assert_eq!((one.0, two.0), (b"x".to_vec(), b"x".to_vec()));
    });
    assert_eq!(server.count.most_at_once(), 3);
}

#[test]
fn a_gate_holds_until_it_is_opened() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script("'*' = [{ gate = true }, 'x']"));
    let request = "GET / HTTP/1.1\r\n\r\n";
    fleet.block_on(async {
        let early = timeout(Duration::from_millis(100), ask(&server, request, 9)).await;
        assert!(early.is_err());
    });
    fleet.open_gate();
    assert_eq!(fleet.block_on(ask(&server, request, 9)).0, b"x");
}

/// What rustls itself, told to trust our authority, says of each kind of certificate.
#[test]
fn certificates_are_what_their_kinds_say() {
    let mut fleet = Fleet::new();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(fleet.certificates().ca_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    for (kind, word, expected) in [
        (CertKind::Good, "good", ""),
        (CertKind::GoodTls12, "good-tls12", ""),
        (CertKind::EndingSoon, "ending-soon", ""),
        (CertKind::Expired, "expired", "Expired"),
        (CertKind::NotYetValid, "not-yet-valid", "NotValidYet"),
        (CertKind::WrongHost, "wrong-host", "NotValidForName"),
        (CertKind::HostileNames, "hostile-names", "NotValidForName"),
        (CertKind::SelfSigned, "self-signed", "UnknownIssuer"),
        (CertKind::UnknownIssuer, "unknown-issuer", "UnknownIssuer"),
    ] {
        let script = script(&format!("tls = '{word}'\n'*' = ['secret']"));
        assert_eq!(script.tls, Some(kind));
        let server = fleet.serve(script);
        let said = fleet.block_on(async {
            let stream = TcpStream::connect(server.address).await.unwrap();
            let name = ServerName::try_from("127.0.0.1").unwrap();
            match connector.connect(name, stream).await {
                Ok(mut stream) => {
                    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                    assert_eq!(read_all(&mut stream, 99).await.0, b"secret");
                    String::new()
                }
                Err(error) => format!("{:?}", error.get_ref()),
            }
        });
        assert!(
            said.contains(expected) && said.is_empty() == expected.is_empty(),
            "{kind:?}: {said}"
        );
    }
}

#[test]
fn every_scenario_reads_and_its_servers_start() {
    let scenarios = all_scenarios();
    let mut names: Vec<_> = scenarios
        .iter()
        .map(|scenario| scenario.name.clone())
        .collect();
    let total = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), total, "two scenarios of one name");
    assert!(total >= 45);
    let known = [
        "HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "*",
    ];
    let mut fleet = Fleet::new();
    for scenario in scenarios {
        let played = Played::start(&mut fleet, scenario);
        let url = played.url();
        assert!(
            url.starts_with("http") && !url.contains(['{', '}']),
            "{url}"
        );
        for key in played
            .scenario
            .server
            .iter()
            .flat_map(|script| script.answers.keys())
        {
            let method = key.split(' ').next().unwrap_or_default();
            assert!(known.contains(&method), "{}: {key}", played.scenario.name);
        }
    }
}
