//! What one check found: a verdict, its reason, its phases, and who ran it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{JobId, MaskedUrl, Moment, SiteId, Timestamp};

/// What one look says of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A valid answer, in time.
    Up,
    /// A valid answer, but slow, or with a certificate about to end.
    Degraded,
    /// No valid answer: the site's own fault, as far as can be seen.
    Down,
    /// We could not check: our own fault. Never the same as down.
    Unknown,
}

impl Verdict {
    /// The word of the JSON contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a site is not simply up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Its name has no address.
    Dns,
    /// Nobody listens on the port.
    Refused,
    /// No route, or no address that can be reached from here.
    Unreachable,
    /// No verdict before the deadline.
    Timeout,
    /// No trust: handshake or certificate.
    Tls,
    /// The connection ended before the answer did.
    Closed,
    /// What came is not HTTP.
    Protocol,
    /// Too many redirects, or one that leads nowhere.
    Redirect,
    /// A status that does not count as up.
    Status,
    /// The body lacks the text that was asked for.
    Content,
    /// A good answer that took too long.
    Slow,
    /// A good answer, and a certificate that ends soon.
    Certificate,
    /// We could not look.
    Internal,
}

impl Reason {
    /// The word of the JSON contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::Content => "content",
            Self::Slow => "slow",
            Self::Certificate => "certificate",
            Self::Internal => "internal",
        }
    }

    /// The verdict that this reason alone leads to.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Slow | Self::Certificate => Verdict::Degraded,
            Self::Internal => Verdict::Unknown,
            _ => Verdict::Down,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The methods that a check uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Spares the site's traffic and statistics.
    Head,
    /// Where HEAD is refused, or the body is wanted.
    Get,
}

impl Method {
    /// As it stands on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Get => "GET",
        }
    }
}

/// The part of a request that takes the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Looking the name up.
    Dns,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the head of the answer.
    FirstByte,
    /// Reading the body, where it is wanted.
    Body,
}

impl Phase {
    /// In plain words, to stand behind "waiting for".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dns => "the name to resolve",
            Self::Connect => "the connection",
            Self::Tls => "the TLS handshake",
            Self::FirstByte => "the first byte",
            Self::Body => "the body",
        }
    }
}

/// How long each phase of the deciding request took; `None` for one that did not happen or
/// did not end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Name to addresses.
    pub dns: Option<Duration>,
    /// TCP.
    pub connect: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// Request sent to head of the answer received.
    pub first_byte: Option<Duration>,
}

/// What is shown of a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// When it ends.
    pub not_after: Timestamp,
    /// Whom it names; cleaned.
    pub subject: Box<str>,
    /// Who vouches for it; cleaned.
    pub issuer: Box<str>,
}

/// One request of a check: the first, a retry by GET, or a redirect followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// HEAD or GET.
    pub method: Method,
    /// The URL as it may be shown.
    pub url: Box<str>,
    /// The address that answered, where one did.
    pub address: Option<IpAddr>,
    /// The addresses that the name had; empty for a literal address.
    pub resolved: Vec<IpAddr>,
    /// The status, where one came.
    pub status: Option<u16>,
    /// Where the time went.
    pub phases: Phases,
    /// The whole request.
    pub took: Duration,
    /// What became of it, in plain words: "302 to /login", "connection refused".
    pub note: Box<str>,
}

/// Who ran a check: the operating system's own ids of the very thread that polled it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RanOn {
    /// Host name.
    pub host: Arc<str>,
    /// Process id.
    pub pid: u32,
    /// Thread id; equals `pid` on a process's main thread.
    pub tid: u32,
    /// The thread's name as the operating system knows it.
    pub thread: Arc<str>,
}

/// What one check found. Never an error: a site that is down is data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Which check it was.
    pub job: JobId,
    /// The verdict of this one look; the monitor confirms before it believes.
    pub verdict: Verdict,
    /// Why it is not simply up.
    pub reason: Option<Reason>,
    /// One cleaned sentence of at most 400 characters.
    pub error: Option<Box<str>>,
    /// The status of the answer that counted.
    pub status: Option<u16>,
    /// When it was started, on the wall clock.
    pub started_at: Timestamp,
    /// When it was started, on the monotonic clock of the process that asked for it.
    pub started: Moment,
    /// The whole check, from start to verdict.
    pub latency: Duration,
    /// How long after it was due it was started.
    pub late: Duration,
    /// The phases of the request that decided.
    pub phases: Phases,
    /// The method whose answer counted.
    pub method: Method,
    /// Requests made, redirects apart.
    pub attempts: u16,
    /// Redirects followed.
    pub redirects: u16,
    /// The certificate of the last TLS server that was met.
    pub certificate: Option<Certificate>,
    /// Every request, in order.
    #[serde(rename = "hops")]
    pub requests: Vec<RequestRecord>,
    /// Who ran it.
    pub ran_on: RanOn,
}

impl CheckResult {
    /// Whether this look failed through the site's fault.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.verdict == Verdict::Down
    }

    /// The address that was asked last, whether it answered or not, as far as that is known.
    /// `url` is the site's.
    #[must_use]
    pub fn asked(&self, url: &MaskedUrl) -> Option<IpAddr> {
        let last = self.requests.last();
        let found = last.and_then(|request| request.address.or(request.resolved.first().copied()));
        found.or_else(|| url.literal().filter(|_| self.requests.len() <= 1))
    }

    /// Days until the certificate ends, counted from the start of the check; negative
    /// after its end.
    #[must_use]
    pub fn cert_days_left(&self) -> Option<f64> {
        const MICROS_PER_DAY: f64 = 86_400.0 * 1e6;
        self.certificate.as_ref().map(|certificate| {
            let micros = certificate.not_after.as_micros() - self.started_at.as_micros();
            micros as f64 / MICROS_PER_DAY
        })
    }
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran.
    Checked(Arc<CheckResult>),
    /// It could not be started before it was due again; says nothing about the site.
    Missed(JobId),
}

impl Outcome {
    /// The site that it is about.
    #[must_use]
    pub fn site(&self) -> SiteId {
        match self {
            Self::Checked(result) => result.job.site,
            Self::Missed(job) => job.site,
        }
    }
}
