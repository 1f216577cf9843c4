//! What a cold check costs the client: processor time under `async`, against the barest
//! loop that does the same on the same kind of runtime.
//!
//! `cargo bench --bench probe [-- --quick] [http|tls]`
//!
//! Both take turns, round by round, against the same server in a process of its own; each
//! round gives a ratio, and the median ratio counts.

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/engine.rs"]
mod engine;
#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;
#[path = "support/tls.rs"]
mod tls;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use uptime_squirrel::domain::{CertificateFile, CheckSpec};
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::trace::Recorder;

use engine::{Engine, specs};
use median::median;
use server::{Server, uniform, urls};
use table::Table;

/// Checks in flight at once.
const IN_FLIGHT: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == tls::ARGUMENT) {
        return tls::serve();
    }
    let Some(mut table) = Table::asked("A cold check: processor time of the client") else {
        return Ok(());
    };
    // One of them alone, where it is named.
    let named = |name: &str| std::env::args().any(|argument| argument == name);
    if !named("tls") {
        http(&mut table)?;
    }
    if !named("http") {
        https(&mut table)?;
    }
    table.print()?;
    Ok(())
}

fn http(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let server = uniform(16, &["--delay", "0ms"])?;
    let addresses = &server.handshake.addresses;
    let floor = Floor::new(addresses, None)?;
    let engine = Engine::start(
        "async",
        IN_FLIGHT,
        ProberFactory::http(None)?,
        Recorder::new(),
    )?;
    let specs = specs(&urls(addresses));
    // Twenty thousand checks a side.
    let (rounds, checks) = if table.quick { (4, 1_000) } else { (20, 1_000) };
    let figures = compare(&floor, engine, &specs, rounds, checks)?;
    figures.show(table, "HTTP", 2.2);
    Ok(())
}

fn https(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let mut program = Command::new(std::env::current_exe()?);
    program.arg(tls::ARGUMENT);
    let server: Server<tls::Handshake> = Server::start(program)?;
    let tls::Handshake { addresses, ca_pem } = &server.handshake;
    let trusted = CertificateFile {
        path: "ca.pem".into(),
        pem: ca_pem.as_bytes().into(),
    };
    let engine = Engine::start(
        "async",
        IN_FLIGHT,
        ProberFactory::http(Some(&trusted))?,
        Recorder::new(),
    )?;
    let floor = Floor::new(addresses, Some(connector(ca_pem)?))?;
    let urls: Vec<_> = addresses
        .iter()
        .map(|address| format!("https://{address}/"))
        .collect();
    let (rounds, checks) = if table.quick { (4, 400) } else { (40, 500) };
    let figures = compare(&floor, engine, &specs(&urls), rounds, checks)?;
    figures.show(table, "TLS", 1.15);
    Ok(())
}

/// The barest client that trusts the server: no session is resumed.
fn connector(ca_pem: &str) -> Result<TlsConnector, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    // The same hello as the program's.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Microseconds a check of every round, floor and program in turns.
struct Figures(Vec<(f64, f64)>);

impl Figures {
    fn show(self, table: &mut Table, what: &str, target: f64) {
        let of = |which: fn(&(f64, f64)) -> f64| median(self.0.iter().map(which).collect());
        table.note(
            &format!("{what}: bare loop"),
            format!("{:.1} us", of(|round| round.0)),
        );
        table.note(
            &format!("{what}: async"),
            format!("{:.1} us", of(|round| round.1)),
        );
        let mut ratios: Vec<_> = self.0.iter().map(|(floor, own)| own / floor).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let quarter = |share: usize| ratios.get(ratios.len() * share / 4).copied();
        table.note(
            &format!("{what}: middle half of the ratios"),
            format!(
                "{:.2} to {:.2}",
                quarter(1).unwrap_or_default(),
                quarter(3).unwrap_or_default()
            ),
        );
        let figure = format!("{what}: async / bare loop, median of {}", ratios.len());
        table.at_most(&figure, median(ratios), target, "");
    }
}

fn compare(
    floor: &Floor,
    mut engine: Engine,
    specs: &[Arc<CheckSpec>],
    rounds: usize,
    checks: usize,
) -> Result<Figures, Box<dyn Error>> {
    let each = |used: f64| used * 1e6 / checks as f64;
    let mut figures = Vec::new();
    // The first round is not counted: clients, buffers and tasks are made in it.
    for round in 0..=rounds {
        let began = cpu::seconds();
        floor.run(checks)?;
        let between = cpu::seconds();
        engine.sweep(checks, specs)?;
        let ended = cpu::seconds();
        if round > 0 {
            figures.push((each(between - began), each(ended - between)));
        }
    }
    Ok(Figures(figures))
}

/// Connects, writes the HEAD by hand, reads the head of the answer, closes.
struct Floor {
    runtime: Runtime,
    task: Arc<Task>,
}

struct Task {
    addresses: Vec<SocketAddr>,
    heads: Vec<String>,
    tls: Option<TlsConnector>,
}

impl Floor {
    fn new(addresses: &[SocketAddr], tls: Option<TlsConnector>) -> io::Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        let head = |address: &SocketAddr| {
            format!(
                "HEAD / HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\nuser-agent: UptimeSquirrel\r\n\r\n"
            )
        };
        Ok(Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(cores)
                .enable_all()
                .build()?,
            task: Arc::new(Task {
                addresses: addresses.to_vec(),
                heads: addresses.iter().map(head).collect(),
                tls,
            }),
        })
    }

    fn run(&self, checks: usize) -> Result<(), Box<dyn Error>> {
        let task = Arc::clone(&self.task);
        let next = Arc::new(AtomicUsize::new(0));
        let all = async move {
            let mut workers = JoinSet::new();
            for _ in 0..IN_FLIGHT {
                workers.spawn(Arc::clone(&task).work(Arc::clone(&next), checks));
            }
            workers.join_all().await.into_iter().collect()
        };
        let done: io::Result<Vec<()>> = self.runtime.block_on(self.runtime.spawn(all))?;
        done?;
        Ok(())
    }
}

impl Task {
    async fn work(self: Arc<Self>, next: Arc<AtomicUsize>, checks: usize) -> io::Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= checks {
                return Ok(());
            }
            let place = index % self.addresses.len();
            let stream = TcpStream::connect(self.addresses[place]).await?;
            match &self.tls {
                None => ask(stream, &self.heads[place]).await?,
                Some(connector) => {
                    let name = ServerName::IpAddress(self.addresses[place].ip().into());
                    ask(connector.connect(name, stream).await?, &self.heads[place]).await?;
                }
            }
        }
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, head: &str) -> io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    let mut answer = [0; 1024];
    let mut read = 0;
    while !answer[..read].ends_with(b"\r\n\r\n") {
        match stream.read(&mut answer[read..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    if answer.starts_with(b"HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}
