//! The result of one check: verdict, reason, phases, requests, and the thread that ran it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FailedConnect, JobId, MAX_SENTENCE, MaskedUrl, Moment, SiteId, Timestamp};

/// What one check says about its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A valid answer, in time.
    Up,
    /// A valid answer, but slow, or with a certificate about to end.
    Degraded,
    /// No valid answer, through a fault of the site as far as the check can tell.
    Down,
    /// The check could not be carried out, through a fault of this program or its machine.
    Unknown,
}

impl Verdict {
    /// The value of the key in JSON.
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

/// Why a verdict is not [`Verdict::Up`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The host name has no address.
    Dns,
    /// The host refused the TCP connection.
    Refused,
    /// There is no route to any address of the host.
    Unreachable,
    /// The check took longer than its timeout.
    Timeout,
    /// The TLS handshake failed, or the certificate is not trusted.
    Tls,
    /// The server closed the connection before the answer was complete.
    Closed,
    /// The answer is not valid HTTP.
    Protocol,
    /// Too many redirects, or one without a usable target.
    Redirect,
    /// The status code does not count as up.
    Status,
    /// The body does not hold the expected text.
    Content,
    /// The answer is good but took longer than `slow`.
    Slow,
    /// The answer is good but the certificate expires within `cert_warn`.
    Certificate,
    /// The check could not be carried out.
    Internal,
}

impl Reason {
    /// The value of the key in JSON.
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

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// The usual method: no body is transferred.
    Head,
    /// The method where HEAD is refused or the body is searched.
    Get,
    /// A method that is sent once, as the others below.
    Post,
    /// See [`Self::Post`].
    Put,
    /// See [`Self::Post`].
    Patch,
    /// See [`Self::Post`].
    Delete,
    /// See [`Self::Post`].
    Options,
}

impl Method {
    /// The method as it stands in a request.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// A phase of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Resolving the host name.
    Dns,
    /// Opening the TCP connection.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From sending the request to receiving the head of the answer.
    FirstByte,
    /// Reading the body; only in checks that search it.
    Body,
}

impl Phase {
    /// A phrase that completes "waiting for".
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

/// The duration of each phase of a request; `None` for a phase that did not happen or did not
/// end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Resolving the host name; `None` for a host that is an IP address.
    pub dns: Option<Duration>,
    /// Opening the TCP connection.
    pub connect: Option<Duration>,
    /// The TLS handshake; `None` over http.
    pub tls: Option<Duration>,
    /// From sending the request to receiving the head of the answer.
    pub first_byte: Option<Duration>,
}

/// The parts of a server certificate that are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The end of its validity.
    pub not_after: Timestamp,
    /// The common name of its subject, or the whole name without one; cleaned.
    pub subject: Box<str>,
    /// The common name of its issuer, or the whole name without one; cleaned.
    pub issuer: Box<str>,
}

/// One request of a check: the first, a repetition by GET, or one to the target of a redirect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The method of the request.
    pub method: Method,
    /// The URL with its password masked; at most 300 characters.
    pub url: Box<str>,
    /// The address that was connected to; `None` if no connection was made.
    pub address: Option<IpAddr>,
    /// The addresses of the host name, at most 8; empty for a host that is an IP address.
    pub resolved: Vec<IpAddr>,
    /// The attempts to connect that gave no connection, in the order of their beginning.
    #[serde(default)]
    pub failed_connects: Vec<FailedConnect>,
    /// The status code; `None` without an answer.
    pub status: Option<u16>,
    /// The durations of its phases.
    pub phases: Phases,
    /// The duration of the whole request.
    pub took: Duration,
    /// The outcome in plain words: `302 Found to https://example.org/login`.
    pub note: Box<str>,
}

impl RequestRecord {
    /// The address that it went to: that of the connection, else the one whose failure says most,
    /// else the first that the name has.
    fn asked(&self) -> Option<IpAddr> {
        let tried = self.failed_connects.iter();
        let tried = tried
            .max_by_key(|attempt| attempt.cause.weight())
            .map(|attempt| attempt.address);
        let resolved = || self.resolved.first().copied();
        self.address.or(tried).or_else(resolved)
    }
}

/// The thread that ran a check, by the ids of the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RanOn {
    /// The name of its host.
    pub host: Arc<str>,
    /// The process id.
    pub pid: u32,
    /// The thread id; equals `pid` on the main thread of a process.
    pub tid: u32,
    /// The name of the thread in the operating system.
    pub thread: Arc<str>,
}

/// The result of one check. A site that is down is a result, never an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The identity of the check.
    pub job: JobId,
    /// The verdict of this check alone; an outage takes several (`confirm`).
    pub verdict: Verdict,
    /// Why the verdict is not up; `None` if it is.
    pub reason: Option<Reason>,
    /// The error: one cleaned sentence of at most 400 characters; `None` if the verdict is up.
    pub error: Option<Box<str>>,
    /// The status code of the last answer; `None` without an answer.
    pub status: Option<u16>,
    /// The start of the check, on the wall clock.
    pub started_at: Timestamp,
    /// The start of the check, on the monotonic clock of the process that asked for it.
    pub started: Moment,
    /// The duration from start to verdict.
    pub latency: Duration,
    /// The time from due to start.
    pub late: Duration,
    /// The phases of the last request.
    pub phases: Phases,
    /// The method of the last request.
    pub method: Method,
    /// The number of requests, those to redirect targets not counted.
    pub attempts: u16,
    /// The number of redirects that were followed.
    pub redirects: u16,
    /// The certificate of the last server that showed one; `None` over http.
    pub certificate: Option<Certificate>,
    /// All requests in order; `hops` in the messages of the queue.
    #[serde(rename = "hops")]
    pub requests: Vec<RequestRecord>,
    /// The thread that ran the check.
    pub ran_on: RanOn,
}

impl CheckResult {
    /// Whether the verdict is down.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.verdict == Verdict::Down
    }

    /// Whether it is a failure that may be that of the way to the site. An answer that is wrong
    /// came from somebody.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        use Reason::{Closed, Dns, Refused, Timeout, Tls, Unreachable};
        self.failed()
            && self.reason.is_none_or(|reason| {
                matches!(reason, Dns | Refused | Unreachable | Timeout | Tls | Closed)
            })
    }

    /// Whether the site, which is on `host`, is on the machine that ran the check: no network
    /// lies between.
    #[must_use]
    pub fn is_local(&self, host: &str) -> bool {
        let last = self.requests.last();
        let asked = last.and_then(RequestRecord::asked);
        let literal = || {
            let is_literal = host.starts_with(|first: char| first == '[' || first.is_ascii_digit());
            let literal = is_literal && self.requests.len() <= 1;
            let address = literal.then(|| host.trim_matches(['[', ']']).parse().ok());
            address.flatten()
        };
        asked.or_else(literal).map_or(
            host == "localhost" || host.ends_with(".localhost"),
            |address: IpAddr| address.is_loopback(),
        )
    }

    /// The same result, which says nothing of the site: `why` nothing can be seen.
    #[must_use]
    pub fn unseen(mut self, why: &str) -> Self {
        self.verdict = Verdict::Unknown;
        self.reason = Some(Reason::Internal);
        let error = self.error.take().unwrap_or_default();
        let error: String = format!("could not check: {why}; the check itself said: {error}");
        self.error = Some(error.chars().take(MAX_SENTENCE).collect::<String>().into());
        self
    }

    /// Whether HEAD failed in a way that visitors do not see: it was not refused as such (405,
    /// 501), and the same check's GET was good.
    #[must_use]
    pub fn head_was_wrong(&self) -> bool {
        let up = matches!(self.verdict, Verdict::Up | Verdict::Degraded);
        let by_head = |request: &&RequestRecord| request.method == Method::Head;
        let last_head = self.requests.iter().take_while(by_head).last();
        let refused = |request: &RequestRecord| matches!(request.status, Some(405 | 501));
        up && self.method == Method::Get && last_head.is_some_and(|head| !refused(head))
    }

    /// The IP address that the last request went to, whether it answered or not; `None` if
    /// that is unknown. `url` is the URL of the site.
    #[must_use]
    pub fn asked(&self, url: &MaskedUrl) -> Option<IpAddr> {
        let last = self.requests.last();
        let found = last.and_then(RequestRecord::asked);
        found.or_else(|| url.literal().filter(|_| self.requests.len() <= 1))
    }

    /// Days from the start of the check to the end of the certificate, negative for an expired
    /// one; `None` without a certificate.
    #[must_use]
    pub fn cert_days_left(&self) -> Option<f64> {
        const MICROS_PER_DAY: f64 = 86_400.0 * 1e6;
        self.certificate.as_ref().map(|certificate| {
            let micros = certificate.not_after.as_micros() - self.started_at.as_micros();
            micros as f64 / MICROS_PER_DAY
        })
    }
}

/// The outcome of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The check ran, with this result.
    Checked(Arc<CheckResult>),
    /// The check had not started when its site was due again; says nothing about the site.
    Missed(JobId),
}

impl Outcome {
    /// The site of the job.
    #[must_use]
    pub fn site(&self) -> SiteId {
        match self {
            Self::Checked(result) => result.job.site,
            Self::Missed(job) => job.site,
        }
    }
}
