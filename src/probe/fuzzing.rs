//! Entry points for `tests/fuzz.rs`: what a server sends, read without a server.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::domain::{
    Certificate, CheckResult, CheckSpec, JobId, Moment, RanOn, SiteId, StartTls, Timestamp,
};

use super::certificate;
use super::certificate_fault::CertificateFault;
use super::classify::Failure;
use super::factory::ProberFactory;
use super::http;
use super::kinds;
use super::names;
use super::other_tls;
use super::path::Stream;
use super::request_log::RequestLog;
use super::tls::Authority;
use super::verdict::{self, Start};

/// The result of a check whose server sends `bytes`, at most `step` at a time, and closes the
/// connection. A redirect is the end of it.
pub async fn answer(bytes: &[u8], http2: bool, step: usize, spec: &CheckSpec) -> CheckResult {
    let mut log = RequestLog::new(spec, None);
    let judged = judged(bytes, http2, step, spec, &mut log).await;
    let start = Start {
        job: JobId {
            site: SiteId::from_index(0),
            due: Moment::ZERO,
        },
        moment: Moment::ZERO,
        at: Timestamp::default(),
    };
    let ran_on = RanOn {
        host: "here".into(),
        pid: 1,
        tid: 1,
        thread: "fuzz".into(),
    };
    verdict::result(start, spec, log, judged, Duration::ZERO, ran_on)
}

/// Whether TLS begins after a server has said `bytes` in the clear, in any of the protocols.
pub async fn starttls(bytes: &[u8]) -> bool {
    let mut any = false;
    for protocol in StartTls::ALL {
        any |= kinds::begins(protocol, bytes).await;
    }
    any
}

async fn judged(
    bytes: &[u8],
    http2: bool,
    step: usize,
    spec: &CheckSpec,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let ProberFactory::Http(shared) = shared()? else {
        return Ok(());
    };
    let script = Script {
        bytes: bytes.to_vec(),
        read: 0,
        step: step.max(1),
        hold: if http2 { Hold::Unread } else { Hold::Over },
    };
    let stream = Stream::Other(Box::new(script), http2);
    let deadline = Instant::now() + Duration::from_secs(3_600);
    http::answer(shared, spec, stream, deadline, log).await
}

/// What all probers share, made once: reading the system's certificates takes milliseconds.
fn shared() -> Result<&'static ProberFactory, Failure> {
    static FACTORY: std::sync::OnceLock<ProberFactory> = std::sync::OnceLock::new();
    if let Some(factory) = FACTORY.get() {
        return Ok(factory);
    }
    let factory = ProberFactory::http(None)
        .map_err(|error| Failure::new(crate::domain::Reason::Internal, error.0))?;
    Ok(FACTORY.get_or_init(|| factory))
}

/// A server that sends what it was given and closes.
#[derive(Debug)]
struct Script {
    bytes: Vec<u8>,
    read: usize,
    step: usize,
    hold: Hold,
}

/// Over HTTP/2 nothing comes before the request went out: no server could answer it.
#[derive(Debug)]
enum Hold {
    Unread,
    Waiting(Waker),
    Over,
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !matches!(self.hold, Hold::Over) {
            self.hold = Hold::Waiting(context.waker().clone());
            return Poll::Pending;
        }
        let left = self.bytes.len() - self.read;
        let next = left.min(self.step).min(buffer.remaining());
        buffer.put_slice(&self.bytes[self.read..self.read + next]);
        self.read += next;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Hold::Waiting(waker) = &self.hold {
            waker.wake_by_ref();
            self.hold = Hold::Over;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads a certificate of a server, and the sentences about it that a check can come to.
#[must_use]
pub fn certificate(der: &[u8]) -> Option<(Certificate, [String; 3])> {
    let read = certificate::Known::default().read(der)?;
    let sentence = |error| CertificateFault::new(error, &[Some(Arc::clone(&read))]).sentence();
    let sentences = [
        sentence(webpki::Error::InvalidCertValidity),
        sentence(webpki::Error::NameConstraintViolation),
        sentence(webpki::Error::UnknownIssuer),
    ];
    Some((read.shown.clone(), sentences))
}

/// Reads a `ca_file`: the number of certificates in it.
///
/// # Errors
/// A sentence about why it cannot be used.
pub fn authority(text: &str) -> Result<usize, String> {
    Authority::of_text("ca.pem", text)
        .certificates()
        .map(|certificates| certificates.len())
        .map_err(|error| error.to_string())
}

/// Reads a reply of a name server: the number of addresses in it.
///
/// # Errors
/// A sentence about why it has none.
pub fn name_reply(bytes: &[u8]) -> Result<usize, &'static str> {
    names::fuzzing::reply(bytes).map(|addresses| addresses.len())
}

/// Reads a resolv.conf and a hosts file: the name servers, and the addresses of this machine.
#[must_use]
pub fn name_files(bytes: &[u8]) -> (usize, usize) {
    let (servers, _search, addresses) = names::fuzzing::files(bytes);
    (servers, addresses.len())
}

/// Reads what a server chose in a TLS handshake, as the end of a sentence.
#[must_use]
pub fn tls_hello(bytes: &[u8]) -> Option<&'static str> {
    other_tls::choice(bytes).map(|other| other.0)
}
