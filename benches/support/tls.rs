//! An HTTPS server for measurements. It knows no resumption: every handshake is a whole one.

use std::error::Error;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// The argument that makes a bench this server.
pub(crate) const ARGUMENT: &str = "--serve-tls";

const LISTENERS: usize = 4;
const MOST_CONNECTIONS: usize = 1_024;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(86_400);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What it says when it is ready.
#[derive(Serialize, Deserialize)]
pub(crate) struct Handshake {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) ca_pem: String,
}

/// Serves until standard input ends.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let (acceptor, ca_pem) = acceptor()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut addresses = Vec::new();
        for _ in 0..LISTENERS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            addresses.push(listener.local_addr()?);
            tokio::spawn(accept(listener, acceptor.clone(), Arc::clone(&places)));
        }
        let handshake = Handshake { addresses, ca_pem };
        let mut line = serde_json::to_vec(&handshake)?;
        line.push(b'\n');
        io::stdout().write_all(&line)?;
        let mut ignored = [0; 64];
        while tokio::io::stdin().read(&mut ignored).await? > 0 {}
        Ok::<(), io::Error>(())
    })?;
    // A read of standard input cannot be called off.
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, places: Arc<Semaphore>) {
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that fails says so itself.
            let _ended = tokio::time::timeout(ANSWER_TIMEOUT, answer(stream, &acceptor)).await;
            drop(place);
        });
    }
}

async fn answer(stream: TcpStream, acceptor: &TlsAcceptor) -> io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(ANSWER).await?;
    stream.shutdown().await
}

fn acceptor() -> Result<(TlsAcceptor, String), Box<dyn Error>> {
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.not_before = (now - 30 * DAY).into();
    params.not_after = (now + 30 * DAY).into();
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    params.not_before = (now - 30 * DAY).into();
    params.not_after = (now + 30 * DAY).into();
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), authority.pem()))
}
