//! When each phase of a request began and ended, noted where it happens.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::domain::{CheckObserver, ConnectCause, FailedConnect, Phase, Phases};

use super::certificate::Read;
use super::certificate_fault::CertificateFault;

/// The record of one request, shared by the request and whoever ends it at the deadline.
#[derive(Debug)]
pub(super) struct PhaseTimings {
    recorded: Mutex<Recorded>,
    /// Is told of each phase as it begins.
    observer: Option<Arc<dyn CheckObserver>>,
}

/// What was noted of one request.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    dns_start: Option<Instant>,
    dns_end: Option<Instant>,
    connect_start: Option<Instant>,
    connect_end: Option<Instant>,
    tls_start: Option<Instant>,
    tls_end: Option<Instant>,
    first_byte: Option<Instant>,
    /// Since when it waits for memory and not for the server.
    memory_wait: Option<Instant>,
    /// How long it has waited for memory before.
    memory_waited: Duration,
    /// Whether the proxy was asked for a connection, and has not made it.
    pub(super) waits_for_proxy: bool,
    /// The addresses that the name had.
    pub(super) resolved: Vec<IpAddr>,
    /// The address that was connected to.
    pub(super) address: Option<IpAddr>,
    /// The attempts to connect, in the order of their beginning.
    attempts: SmallVec<[ConnectAttempt; 1]>,
    /// The server's own certificate, as far as it could be read.
    pub(super) certificate: Option<Arc<Read>>,
    /// Why it is not trusted.
    pub(super) certificate_fault: Option<CertificateFault>,
}

/// An attempt to connect to one address.
#[derive(Clone, Copy, Debug)]
struct ConnectAttempt {
    address: IpAddr,
    began: Instant,
    /// When it failed, and why.
    failed: Option<(Instant, ConnectCause)>,
}

impl PhaseTimings {
    /// An empty record that tells `observer` of each phase as it begins.
    pub(super) fn new(observer: Option<Arc<dyn CheckObserver>>) -> Self {
        Self {
            recorded: Mutex::default(),
            observer,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Recorded> {
        // A panic while noting an instant leaves the other instants as good as they were.
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a phase begins.
    fn begin(&self, phase: Phase, change: impl FnOnce(&mut Recorded, Instant)) {
        let now = Instant::now();
        change(&mut self.lock(), now);
        if let Some(observer) = &self.observer {
            observer.phase(phase, now);
        }
    }

    /// The resolving of the host name began.
    pub(super) fn dns_started(&self) {
        self.begin(Phase::Dns, |recorded, now| recorded.dns_start = Some(now));
    }

    /// The name has these addresses.
    pub(super) fn dns_ended(&self, addresses: &[IpAddr]) {
        let mut recorded = self.lock();
        recorded.dns_end = Some(Instant::now());
        recorded.resolved = addresses.to_vec();
    }

    /// The connecting began.
    pub(super) fn connect_started(&self) {
        self.begin(Phase::Connect, |recorded, now| {
            recorded.connect_start = Some(now);
        });
    }

    /// The proxy is asked, or has done what it was asked for.
    pub(super) fn proxy_asked(&self, waits: bool) {
        self.lock().waits_for_proxy = waits;
    }

    /// An attempt to connect to `address` began.
    pub(super) fn attempt_started(&self, address: IpAddr) {
        self.lock().attempts.push(ConnectAttempt {
            address,
            began: Instant::now(),
            failed: None,
        });
    }

    /// The newest attempt to connect to `address` failed.
    pub(super) fn attempt_failed(&self, address: IpAddr, cause: ConnectCause) {
        let mut recorded = self.lock();
        let mut attempts = recorded.attempts.iter_mut().rev();
        if let Some(attempt) = attempts.find(|attempt| attempt.address == address) {
            attempt.failed = Some((Instant::now(), cause));
        }
    }

    /// There is a TCP connection to this address, and a TLS handshake begins on it, or what is
    /// asked in the clear.
    pub(super) fn connected_to(&self, address: IpAddr, secure: bool) {
        let next = if secure { Phase::Tls } else { Phase::FirstByte };
        self.begin(next, |recorded, now| {
            recorded.connect_end = Some(now);
            recorded.tls_start = secure.then_some(now);
            recorded.address = Some(address);
        });
    }

    /// The TLS handshake is done.
    pub(super) fn tls_ended(&self) {
        self.begin(Phase::FirstByte, |recorded, now| {
            recorded.tls_end = Some(now);
        });
    }

    /// The head of the answer is here.
    pub(super) fn answered(&self) {
        self.begin(Phase::Body, |recorded, now| recorded.first_byte = Some(now));
    }

    /// The server showed this certificate, good or bad; `None` if it cannot be read.
    pub(super) fn certificate_seen(&self, read: Option<Arc<Read>>) {
        self.lock().certificate = read;
    }

    /// Whether the server's certificates are not trusted, for a reason that is known.
    pub(super) fn refused_certificate(&self) -> bool {
        self.lock().certificate_fault.is_some()
    }

    /// The certificates are not trusted, for this.
    pub(super) fn certificate_refused(&self, fault: CertificateFault) {
        self.lock().certificate_fault = Some(fault);
    }

    /// Whether the request waits for memory of this process's own.
    pub(super) fn wait_for_memory(&self, waits: bool) {
        let mut recorded = self.lock();
        let before = recorded.memory_wait.take();
        recorded.memory_waited += before.map_or(Duration::ZERO, |since| since.elapsed());
        recorded.memory_wait = waits.then(Instant::now);
    }

    /// When the request could be sent: the connection was there, TLS included; `None` before.
    pub(super) fn ready_since(&self) -> Option<Instant> {
        let recorded = self.lock();
        match recorded.tls_start {
            Some(_) => recorded.tls_end,
            None => recorded.connect_end,
        }
    }
}

impl Recorded {
    /// How long each phase took, as far as it ended.
    pub(super) fn phases(&self) -> Phases {
        let between = |from: Option<Instant>, to: Option<Instant>| Some(to? - from?);
        let ready = self.tls_end.or(self.connect_end);
        Phases {
            dns: between(self.dns_start, self.dns_end),
            connect: between(self.connect_start, self.connect_end),
            tls: between(self.tls_start, self.tls_end),
            first_byte: between(ready, self.first_byte),
        }
    }

    /// The attempts to connect that gave no connection, those that have not ended included.
    pub(super) fn failed_connects(&self) -> Vec<FailedConnect> {
        let connected = |attempt: &&ConnectAttempt| {
            attempt.failed.is_none() && self.address == Some(attempt.address)
        };
        let end = self.connect_end.unwrap_or_else(Instant::now);
        self.attempts
            .iter()
            .filter(|attempt| !connected(attempt))
            .map(|attempt| {
                let (ended, cause) = attempt.failed.unwrap_or((end, ConnectCause::NoAnswer));
                FailedConnect {
                    address: attempt.address,
                    took: ended.saturating_duration_since(attempt.began),
                    cause,
                }
            })
            .collect()
    }

    /// How long the request has waited for memory of this process's own.
    pub(super) fn waited_for_memory(&self) -> Duration {
        let now = self
            .memory_wait
            .map_or(Duration::ZERO, |since| since.elapsed());
        self.memory_waited + now
    }

    /// The phase that has begun and not ended.
    pub(super) fn current(&self) -> Phase {
        if self.first_byte.is_some() {
            Phase::Body
        } else if self.tls_start.is_some() && self.tls_end.is_none() {
            Phase::Tls
        } else if self.connect_end.is_some() {
            Phase::FirstByte
        } else if self.dns_start.is_some() && self.dns_end.is_none() {
            Phase::Dns
        } else {
            Phase::Connect
        }
    }
}
