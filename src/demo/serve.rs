//! Serves the table: a port a site, commands by lines, until the commands end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::certificates::Certificates;
use super::command::DemoCommand;
use super::connection_limits::room_for_connections;
use super::ready_line::{self, DemoReady};
use super::response::{Condition, Reaction, Situation};
use super::sites::{DemoSite, SITES};
use super::{http, sites_toml};

/// The most connections that one site holds at once: more wait to be accepted, so that
/// a site that never answers cannot take the room of the others.
const MOST_A_SITE: usize = 256;

/// Connections that the system keeps for a site until they are accepted.
const BACKLOG: u32 = 1_024;

/// Serves [`SITES`] on 127.0.0.1, each on a free port of its own.
///
/// Says one line of JSON, a [`DemoReady`], on `out` when every port is open, then obeys
/// "break NAME" and "mend NAME", a line each, until `commands` ends. A broken site answers
/// 503, or refuses connections where its own fault lies below HTTP; a mended one answers
/// well from then on.
///
/// # Errors
/// When a port cannot be had, certificates cannot be made, or either stream fails.
pub async fn serve(
    commands: impl AsyncRead + Unpin,
    mut out: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let (certificates, ca_pem) = Certificates::make(SystemTime::now()).map_err(io::Error::other)?;
    let most = (room_for_connections(MOST_A_SITE * SITES.len()) / SITES.len()).max(1);
    let began = Instant::now();

    // Dropping the set ends every site, and each site every connection that it holds.
    let mut sites = JoinSet::new();
    let mut switches = Vec::with_capacity(SITES.len());
    let mut ports = Vec::with_capacity(SITES.len());
    for entry in SITES {
        let (switch, condition) = watch::channel(Condition::default());
        let (socket, address) = reserve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let site = Site {
            entry,
            condition,
            began,
            certificates: certificates.clone(),
            requests: AtomicU64::new(0),
        };
        // The backlog answers from the first moment, before the task has run.
        let door = if site.situation().refuses().0 {
            Door::Closed(socket)
        } else {
            Door::Open(socket.listen(BACKLOG)?)
        };
        ports.push((entry, address.port()));
        switches.push((entry.name, switch));
        sites.spawn(Arc::new(site).run(door, address, most));
    }

    let sites_toml = sites_toml::render(&ports).map_err(io::Error::other)?;
    ready_line::say(&DemoReady { sites_toml, ca_pem }, &mut out).await?;
    obey(commands, &switches).await
}

/// Carries out commands until they end. One that is not understood is logged and left.
async fn obey(
    commands: impl AsyncRead + Unpin,
    switches: &[(&str, watch::Sender<Condition>)],
) -> io::Result<()> {
    let mut lines = BufReader::new(commands).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        let line = String::from_utf8_lossy(&line);
        let (name, condition) = match DemoCommand::parse(&line) {
            Some(DemoCommand::Break(name)) => (name, Condition::Broken),
            Some(DemoCommand::Mend(name)) => (name, Condition::Mended),
            None => {
                tracing::warn!(line = %line.escape_debug(), "not a command of the demo");
                continue;
            }
        };
        match switches.iter().find(|(known, _)| *known == name) {
            Some((_, switch)) => {
                switch.send_replace(condition);
            }
            None => tracing::warn!(name = %name.escape_debug(), "no such site in the demo"),
        }
    }
    Ok(())
}

/// A site's port: listening, or held so that connections are refused.
///
/// A port that is bound and does not listen refuses like an unused one, and cannot
/// be taken by another process, nor by a client's own end, before it is opened again.
enum Door {
    Open(TcpListener),
    Closed(TcpSocket),
}

/// Takes a port without listening on it.
fn reserve(address: SocketAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = TcpSocket::new_v4()?;
    // The port can be taken again while old connections linger in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// One site while it is served.
struct Site {
    entry: &'static DemoSite,
    condition: watch::Receiver<Condition>,
    began: Instant,
    certificates: Certificates,
    /// How many requests it ever had.
    requests: AtomicU64,
}

impl Site {
    fn situation(&self) -> Situation {
        Situation {
            entry: self.entry,
            condition: *self.condition.borrow(),
            elapsed: self.began.elapsed(),
        }
    }

    /// Opens and closes the door as the condition and the clock say, and serves
    /// at most `most` connections at once.
    async fn run(self: Arc<Self>, mut door: Door, address: SocketAddr, most: usize) {
        let mut condition = self.condition.clone();
        let mut connections = JoinSet::new();
        loop {
            let (refuses, change) = self.situation().refuses();
            door = match (door, refuses) {
                (Door::Open(listener), true) => {
                    drop(listener);
                    match reserve(address) {
                        Ok((socket, _)) => Door::Closed(socket),
                        Err(error) => return gone(self.entry.name, &error),
                    }
                }
                (Door::Closed(socket), false) => match socket.listen(BACKLOG) {
                    Ok(listener) => Door::Open(listener),
                    Err(error) => return gone(self.entry.name, &error),
                },
                (same, _) => same,
            };
            tokio::select! {
                changed = condition.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(change.unwrap_or(Duration::MAX)), if change.is_some() => {}
                Some(_) = connections.join_next() => {}
                accepted = accept(&door), if connections.len() < most => match accepted {
                    Ok(stream) => {
                        connections.spawn(Arc::clone(&self).attend(stream));
                    }
                    Err(error) => {
                        tracing::debug!(site = self.entry.name, %error, "accepting failed");
                        // Out of descriptors, most likely: they come back as answers end.
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                },
            }
        }
    }

    /// One connection from its first byte to its last.
    async fn attend(self: Arc<Self>, stream: TcpStream) {
        let served = async {
            if !self.entry.tls {
                return self.respond(stream).await;
            }
            let kind = self.situation().certificate();
            let acceptor = self.certificates.acceptor(kind);
            let accepted =
                tokio::time::timeout(http::CONNECTION_TIMEOUT, acceptor.accept(stream)).await??;
            self.respond(accepted).await
        };
        if let Err(error) = served.await {
            // A client that does not like the certificate leaves here, as it should.
            tracing::debug!(site = self.entry.name, %error, "a connection ended early");
        }
    }

    async fn respond(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let head =
            tokio::time::timeout(http::CONNECTION_TIMEOUT, http::read_head(&mut stream)).await??;
        let Some(request) = head.as_deref().and_then(http::Request::parse) else {
            return Ok(());
        };
        let rest = http::skip_body(&mut stream, request.unread);
        tokio::time::timeout(http::CONNECTION_TIMEOUT, rest).await??;
        let nth = self.requests.fetch_add(1, Ordering::Relaxed);
        match self.situation().act(&request, nth) {
            Reaction::Respond { after, response } => {
                tokio::time::sleep(after).await;
                stream
                    .write_all(&http::render(&response, request.head))
                    .await?;
                stream.shutdown().await
            }
            Reaction::Hang => {
                http::hang(&mut stream).await;
                Ok(())
            }
            Reaction::Close => Ok(()),
            Reaction::Drip => http::drip(&mut stream).await,
        }
    }
}

/// The next connection; never, while the door is closed.
async fn accept(door: &Door) -> io::Result<TcpStream> {
    match door {
        Door::Open(listener) => Ok(listener.accept().await?.0),
        Door::Closed(_) => std::future::pending().await,
    }
}

fn gone(name: &str, error: &io::Error) {
    tracing::error!(site = name, %error, "the site lost its port and stays away");
}

#[cfg(test)]
mod tests {
    use super::super::sites::{Behaviour, CertificateKind, Pace, When};
    use super::*;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{CertificateError, ClientConfig, RootCertStore};
    use std::collections::HashMap;
    use tokio::io::{AsyncReadExt as _, DuplexStream};
    use tokio::task::JoinHandle;
    use tokio_rustls::TlsConnector;

    const LONG: Duration = Duration::from_secs(20);

    /// A demo server in this process, and its ready line.
    struct Running {
        commands: DuplexStream,
        demo: JoinHandle<io::Result<()>>,
        urls: HashMap<String, url::Url>,
        ca_pem: String,
    }

    impl Running {
        async fn start() -> Self {
            let (commands, theirs) = tokio::io::duplex(1_024);
            let (answers, out) = tokio::io::duplex(64 * 1_024);
            let demo = tokio::spawn(serve(theirs, out));
            let mut line = String::new();
            BufReader::new(answers).read_line(&mut line).await.unwrap();
            let said: DemoReady = serde_json::from_str(&line).unwrap();
            let file: toml::Table = said.sites_toml.parse().unwrap();
            let urls = file["sites"].as_array().unwrap().iter();
            let urls = urls.map(|site| {
                let text = |key: &str| site[key].as_str().unwrap().to_owned();
                (text("name"), text("url").parse().unwrap())
            });
            Self {
                commands,
                demo,
                urls: urls.collect(),
                ca_pem: said.ca_pem,
            }
        }

        fn address(&self, name: &str) -> SocketAddr {
            let port = self.urls[name].port().unwrap();
            (Ipv4Addr::LOCALHOST, port).into()
        }

        async fn ask(&self, name: &str, method: &str) -> io::Result<String> {
            let path = self.urls[name].path();
            tokio::time::timeout(LONG, ask(self.address(name), method, path)).await?
        }

        async fn command(&mut self, line: &str) {
            self.commands.write_all(line.as_bytes()).await.unwrap();
        }

        /// Asks until the answer is as wanted: a command takes effect when it was read.
        async fn until(&self, name: &str, wanted: impl Fn(&io::Result<String>) -> bool) {
            let asking = async {
                while !wanted(&self.ask(name, "GET").await) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(LONG, asking).await.unwrap();
        }

        /// Shakes hands with a TLS site, trusting the demo's authority alone.
        async fn shake(&self, name: &str) -> Result<String, rustls::Error> {
            let mut roots = RootCertStore::empty();
            let authority = CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).unwrap();
            roots.add(authority).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let stream = TcpStream::connect(self.address(name)).await.unwrap();
            let host = ServerName::try_from("127.0.0.1").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let mut stream = connector.connect(host, stream).await.map_err(|error| {
                let inner = error.into_inner().expect("a TLS error");
                *inner.downcast::<rustls::Error>().expect("a TLS error")
            })?;
            let request = format!("GET {} HTTP/1.1\r\n\r\n", self.urls[name].path());
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            Ok(answer)
        }
    }

    async fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    fn is_status(answer: &io::Result<String>, status: u16) -> bool {
        let start = format!("HTTP/1.1 {status} ");
        answer.as_ref().is_ok_and(|text| text.starts_with(&start))
    }

    fn is_refused(answer: &io::Result<String>) -> bool {
        let kind = answer.as_ref().map_err(io::Error::kind);
        kind == Err(io::ErrorKind::ConnectionRefused)
    }

    #[tokio::test]
    async fn sites_answer_as_the_table_says_while_one_hangs() {
        let demo = Running::start().await;
        let others = async {
            assert!(is_status(&demo.ask("cdn", "HEAD").await, 200));
            assert!(is_status(&demo.ask("mail", "HEAD").await, 200));
            assert!(is_status(&demo.ask("careers", "HEAD").await, 404));
            assert!(is_status(&demo.ask("reports", "GET").await, 500));
            assert!(is_status(&demo.ask("hooks", "HEAD").await, 405));
            assert!(is_status(&demo.ask("hooks", "GET").await, 200));
            let search = demo.ask("search", "GET").await.unwrap();
            assert!(search.contains("acorns found"), "{search}");
            let www = demo.ask("www", "HEAD").await.unwrap();
            assert!(www.starts_with("HTTP/1.1 302 ") && www.contains("\r\nLocation: /home\r\n"));
            assert!(is_refused(&demo.ask("legacy", "GET").await));
        };
        tokio::select! {
            answer = demo.ask("pay", "HEAD") => panic!("the hanging site answered {answer:?}"),
            () = others => {}
        }
    }

    #[tokio::test]
    async fn a_message_to_an_owner_is_read_to_its_end_and_answered() {
        let demo = Running::start().await;
        let mut stream = TcpStream::connect(demo.address(super::super::sites::HOOKS))
            .await
            .unwrap();
        let body = vec![b'x'; 200_000];
        let head = format!(
            "POST /told/ops HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(is_status(&Ok(answer), 200));
    }

    #[tokio::test]
    async fn sites_break_and_mend_on_command_and_nonsense_is_ignored() {
        let mut demo = Running::start().await;
        demo.command("break cdn\nmend legacy\n").await;
        demo.until("cdn", |answer| is_status(answer, 503)).await;
        demo.until("legacy", |answer| is_status(answer, 200)).await;
        demo.command("burn cdn\n\u{fffd}\nbreak nobody\nmend cdn\n")
            .await;
        demo.until("cdn", |answer| is_status(answer, 200)).await;
        // A port that was opened can be closed and opened again.
        for _ in 0..3 {
            demo.command("break legacy\nbreak pay\n").await;
            demo.until("legacy", is_refused).await;
            demo.until("pay", is_refused).await;
            demo.command("mend legacy\nmend pay\n").await;
            demo.until("legacy", |answer| is_status(answer, 200)).await;
            demo.until("pay", |answer| is_status(answer, 200)).await;
        }
    }

    #[tokio::test]
    async fn certificates_are_good_expired_or_soon_to_expire() {
        let mut demo = Running::start().await;
        for name in ["shop", "vault", "partner"] {
            let answer = demo.shake(name).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
        }
        let expired = demo.shake("intranet").await.unwrap_err();
        assert!(matches!(
            expired,
            rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })
        ));
        // Mending renews the certificate.
        demo.command("mend intranet\n").await;
        let renewed = async { while demo.shake("intranet").await.is_err() {} };
        tokio::time::timeout(LONG, renewed).await.unwrap();
    }

    #[tokio::test]
    async fn a_certificate_for_another_host_is_for_another_host() {
        const ELSEWHERE: DemoSite = DemoSite {
            name: "elsewhere",
            path: "/",
            tls: true,
            pace: SITES[0].pace,
            behaviour: Behaviour::Certificate(CertificateKind::WrongHost),
            when: When::Always,
            owners: &[],
            tags: &[],
            contains: None,
        };
        let (certificates, ca_pem) = Certificates::make(SystemTime::now()).unwrap();
        let (_switch, address, site) = alone(&ELSEWHERE, certificates);
        let url = format!("https://{address}/").parse().unwrap();
        let running = Running {
            commands: tokio::io::duplex(1).0,
            demo: site,
            urls: HashMap::from([("elsewhere".to_owned(), url)]),
            ca_pem,
        };
        assert!(matches!(
            running.shake("elsewhere").await.unwrap_err(),
            rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })
        ));
    }

    /// One site by itself, its door open.
    fn alone(
        entry: &'static DemoSite,
        certificates: Certificates,
    ) -> (
        watch::Sender<Condition>,
        SocketAddr,
        JoinHandle<io::Result<()>>,
    ) {
        let (switch, condition) = watch::channel(Condition::default());
        let (socket, address) = reserve((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let site = Arc::new(Site {
            entry,
            condition,
            began: Instant::now(),
            certificates,
            requests: AtomicU64::new(0),
        });
        let door = Door::Open(socket.listen(BACKLOG).unwrap());
        let running = tokio::spawn(async move {
            site.run(door, address, 8).await;
            Ok(())
        });
        (switch, address, running)
    }

    #[tokio::test]
    async fn a_port_closes_and_opens_by_the_clock() {
        const FLAPPING: DemoSite = DemoSite {
            name: "flapping",
            behaviour: Behaviour::Refuse,
            when: When::Spell {
                first: 1,
                lasts: 1,
                every: 2,
            },
            tls: false,
            ..SITES[0]
        };
        let (certificates, _) = Certificates::make(SystemTime::now()).unwrap();
        let (_switch, address, _site) = alone(&FLAPPING, certificates);
        let both = async {
            while !is_refused(&ask(address, "GET", "/").await) {}
            while !is_status(&ask(address, "GET", "/").await, 200) {}
        };
        tokio::time::timeout(LONG, both).await.unwrap();
    }

    #[tokio::test]
    async fn a_drip_never_ends_its_head_and_an_early_close_says_nothing() {
        const DRIPPING: DemoSite = DemoSite {
            tls: false,
            behaviour: Behaviour::Drip,
            ..SITES[0]
        };
        const CLOSING: DemoSite = DemoSite {
            behaviour: Behaviour::CloseEarly,
            ..DRIPPING
        };
        let (certificates, _) = Certificates::make(SystemTime::now()).unwrap();
        let (_closing, closes, _) = alone(&CLOSING, certificates.clone());
        let silence = tokio::time::timeout(LONG, ask(closes, "GET", "/")).await;
        assert_eq!(silence.unwrap().unwrap_or_default(), "");

        let (_dripping, drips, _) = alone(&DRIPPING, certificates);
        let mut stream = TcpStream::connect(drips).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = [0; 27];
        let read = tokio::time::timeout(LONG, stream.read_exact(&mut answer)).await;
        read.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK\r\nX-Drip: ..");
    }

    #[tokio::test]
    async fn a_full_house_of_silent_clients_keeps_newcomers_waiting_and_then_lets_them_in() {
        let (certificates, _) = Certificates::make(SystemTime::now()).unwrap();
        const QUICK: DemoSite = DemoSite {
            tls: false,
            pace: Pace {
                least: 0,
                jitter: 0,
            },
            ..SITES[0]
        };
        let (_switch, address, _site) = alone(&QUICK, certificates);
        let mut silent = Vec::new();
        for _ in 0..8 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        // A house without a limit would answer at once; that this one does not can only be
        // seen by waiting. A slow machine makes this pass, never fail.
        let mut newcomer = Box::pin(ask(address, "GET", "/"));
        let soon = tokio::time::timeout(Duration::from_millis(300), &mut newcomer).await;
        assert!(soon.is_err(), "nine are served where eight have room");
        silent.pop();
        let answer = tokio::time::timeout(LONG, &mut newcomer).await.unwrap();
        assert!(is_status(&answer, 200));
    }

    #[tokio::test]
    async fn the_end_of_its_commands_ends_the_demo_and_frees_its_ports() {
        let demo = Running::start().await;
        let address = demo.address("cdn");
        drop(demo.commands);
        demo.demo.await.unwrap().unwrap();
        assert!(is_refused(&ask(address, "GET", "/").await));
    }
}
