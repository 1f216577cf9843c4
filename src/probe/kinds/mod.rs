//! The kinds of check other than http: a file each, and an entry each in the table [`ALL`].
//!
//! A kind stands on the same path as http: `names` resolves, `path` connects and shakes hands. It
//! tells the request log of its one request, so that phases, verdicts, lanes and history are as
//! for http.

mod dns;
mod ping;
mod starttls;
mod tcp;
mod tls;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use url::Host;

use crate::domain::{CheckKind, CheckSpec, Reason};

use super::classify::{self, Failure};
use super::http::ExchangeError;
use super::own_fault::Open;
use super::path::{self, Destination, PathError, Socket};
use super::phase_timings::PhaseTimings;
use super::request_log::RequestLog;
use super::shared::Shared;

/// For `tests/fuzz.rs`.
pub(super) use starttls::fuzzing::begins;

/// A kind of check.
struct KindEntry {
    kind: CheckKind,
    /// Carries it out.
    check: for<'a> fn(Asked<'a>) -> Answered<'a>,
}

/// Every kind but http, whose check is too large to be moved.
const ALL: [KindEntry; 4] = [tcp::KIND, tls::KIND, dns::KIND, ping::KIND];

/// A check that is asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    shared: &'a Shared,
    spec: &'a CheckSpec,
    /// The end of the check.
    deadline: Instant,
    /// The phases of its one request.
    timings: &'a Arc<PhaseTimings>,
}

/// Its outcome, and what to note of the request that went well.
type Answered<'a> = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send + 'a>>;

/// Checks the site of `spec`, which is of another kind than http.
pub(super) async fn check(
    shared: &Shared,
    spec: &CheckSpec,
    deadline: Instant,
    log: &mut RequestLog,
) -> Result<(), Failure> {
    let kind = spec.kind();
    let timings = log.begin_request(&RequestLog::shown(&spec.url));
    let asked = Asked {
        shared,
        spec,
        deadline,
        timings: &timings,
    };
    let judged = match ALL.iter().find(|entry| entry.kind == kind) {
        Some(entry) => (entry.check)(asked).await,
        None => Err(Failure::new(Reason::Internal, "the URL cannot be read")),
    };
    let note = match &judged {
        Ok(note) => note,
        Err(failure) => &failure.error,
    };
    log.end_request(&timings, None, note);
    judged.map(|_| ())
}

impl Asked<'_> {
    /// The host of the URL.
    fn host(&self) -> Result<Host<String>, Failure> {
        let url = self.spec.url.parsed();
        let host = url.and_then(|url| Host::parse(url.host_str()?).ok());
        host.ok_or_else(|| Failure::new(Reason::Internal, "the URL cannot be read"))
    }

    /// A connection to the host and the port of the URL.
    async fn connect(&self, secure: bool) -> Result<Open<Socket>, Failure> {
        let host = self.host()?;
        let port = self.spec.url.parsed().and_then(url::Url::port);
        let port = port.ok_or_else(|| Failure::new(Reason::Internal, "the URL cannot be read"))?;
        let (files, timings) = (&self.shared.files, self.timings);
        let to = Destination {
            host: borrowed(&host),
            port,
            secure,
            options: &self.spec.options().connection,
        };
        path::open(to, files, timings, self.deadline)
            .await
            .map_err(|error| self.failed(error, secure))
    }

    /// The failure of the way to the server.
    fn failed(&self, error: PathError, secure: bool) -> Failure {
        classify::request(&ExchangeError::Path(error), &self.timings.lock(), secure)
    }

    /// The failure of a connection that was there.
    fn broke(&self, error: std::io::Error) -> Failure {
        let mut failure = classify::request(&ExchangeError::Io(error), &self.timings.lock(), false);
        failure.may_be_about_head = false;
        failure
    }
}

/// A host by reference.
fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}
