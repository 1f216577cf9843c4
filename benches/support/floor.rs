//! The barest client: what a check costs at the least on this machine.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// Checks in flight at once.
pub(crate) const IN_FLIGHT: usize = 100;

/// The barest client that trusts the server: no session is resumed.
pub(crate) fn connector(ca_pem: &str) -> Result<TlsConnector, Box<dyn Error>> {
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

/// Connects, writes the HEAD by hand, reads the head of the answer, closes.
pub(crate) struct Floor {
    runtime: Runtime,
    task: Arc<Task>,
}

struct Task {
    addresses: Vec<SocketAddr>,
    heads: Vec<String>,
    tls: Option<TlsConnector>,
    /// A check that takes longer than this is over; it may fail then. Without it each must succeed.
    timeout: Option<Duration>,
}

impl Floor {
    pub(crate) fn new(
        addresses: &[SocketAddr],
        tls: Option<TlsConnector>,
        timeout: Option<Duration>,
    ) -> io::Result<Self> {
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
                timeout,
            }),
        })
    }

    /// Runs so many checks, `in_flight` at once.
    pub(crate) fn run(&self, checks: usize, in_flight: usize) -> Result<(), Box<dyn Error>> {
        let task = Arc::clone(&self.task);
        let next = Arc::new(AtomicUsize::new(0));
        let all = async move {
            let mut workers = JoinSet::new();
            for _ in 0..in_flight {
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
            match self.timeout {
                None => self.check(place).await?,
                Some(timeout) => {
                    let _over = tokio::time::timeout(timeout, self.check(place)).await;
                }
            }
        }
    }

    async fn check(&self, place: usize) -> io::Result<()> {
        let stream = TcpStream::connect(self.addresses[place]).await?;
        match &self.tls {
            None => ask(stream, &self.heads[place]).await,
            Some(connector) => {
                let name = ServerName::IpAddress(self.addresses[place].ip().into());
                ask(connector.connect(name, stream).await?, &self.heads[place]).await
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
