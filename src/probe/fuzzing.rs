//! Entry points for `tests/fuzz.rs`: what a server sends, read without a server.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::header::HOST;
use hyper::http::HeaderValue;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Uri};
use rustls::CertificateError;

use crate::domain::{
    Certificate, CheckResult, CheckSpec, JobId, Method, Moment, RanOn, SiteId, Timestamp,
};

use super::certificate;
use super::classify::{self, Failure};
use super::exchange;
use super::prober::{judge, leads_on, next_url};
use super::request_log::RequestLog;
use super::tls::Authority;
use super::verdict::{self, Start};

/// The result of a check whose server sends `bytes`, at most `step` at a time, and closes the
/// connection. A redirect is the end of it.
pub async fn answer(bytes: &[u8], http2: bool, step: usize, spec: &CheckSpec) -> CheckResult {
    let mut log = RequestLog::new(spec, None);
    log.begin_request(&RequestLog::shown(&spec.url));
    let judged = judged(bytes, http2, step, spec, &mut log).await;
    let note = judged.as_ref().err().map_or("", |failure| &failure.error);
    log.end_request(log.status, note);
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

async fn judged(
    bytes: &[u8],
    http2: bool,
    step: usize,
    spec: &CheckSpec,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let unusable = || Failure::new(crate::domain::Reason::Internal, "the URL cannot be read");
    let url = spec.url.parsed().ok_or_else(unusable)?;
    let mut request = Request::new(String::new());
    *request.method_mut() = match log.method {
        Method::Head => hyper::Method::HEAD,
        Method::Get => hyper::Method::GET,
    };
    *request.uri_mut() = Uri::try_from(url.as_str()).map_err(|_| unusable())?;
    let host = HeaderValue::from_static("example.org");
    request.headers_mut().insert(HOST, host);
    let connection = Script {
        bytes: bytes.to_vec(),
        read: 0,
        step: step.max(1),
        asked: 0,
    };
    let answer = exchange::talk(connection, http2, request)
        .await
        .map_err(|error| classify::request(&error, &log.phase_timings.lock(), false))?;
    let status = answer.status();
    log.status = Some(status.as_u16());
    if leads_on(status, spec) {
        return next_url(url, &answer).map(|next| {
            let _shown = RequestLog::shown(&next.into());
        });
    }
    judge(spec, status, answer).await
}

/// The polls in which a request is sent. An answer that comes before is none.
const POLLS_OF_REQUEST: u8 = 4;

/// A server that is asked, sends what it was given and closes.
struct Script {
    bytes: Vec<u8>,
    read: usize,
    step: usize,
    asked: u8,
}

impl Read for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.asked < POLLS_OF_REQUEST {
            self.asked += 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let left = self.bytes.len() - self.read;
        let next = left.min(self.step).min(buffer.remaining());
        buffer.put_slice(&self.bytes[self.read..self.read + next]);
        self.read += next;
        Poll::Ready(Ok(()))
    }
}

impl Write for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
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
    let sentence = |error| classify::certificate_failure(&error, Some(&read));
    let sentences = [
        sentence(CertificateError::Expired),
        sentence(CertificateError::NotValidForName),
        sentence(CertificateError::UnknownIssuer),
    ];
    Some((read.shown.clone(), sentences))
}

/// Reads a `ca_file`: the number of certificates in it.
///
/// # Errors
/// A sentence about why it cannot be used.
pub fn authority(text: &str) -> Result<usize, String> {
    Authority::of_text("ca.pem", text)
        .roots()
        .map(|roots| roots.len())
        .map_err(|error| error.to_string())
}
