//! When each phase of a request began and ended, recorded by hooks deep inside the client.
//!
//! The client's connector resolves names, connects and shakes hands inside the check's own
//! future, so a task-local reaches every hook; nothing of it needs a lock that is ever
//! contended.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::{CheckObserver, Phase, Phases};

use super::certificate::Read;

tokio::task_local! {
    static TIMINGS: Arc<PhaseTimings>;
}

/// The record of one request, shared with the hooks.
#[derive(Debug)]
pub(super) struct PhaseTimings {
    recorded: Mutex<Recorded>,
    /// Is told of each phase as it begins.
    observer: Option<Arc<dyn CheckObserver>>,
}

/// What the hooks recorded of one request.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    dns_start: Option<Instant>,
    dns_end: Option<Instant>,
    connect_start: Option<Instant>,
    connect_end: Option<Instant>,
    tls_start: Option<Instant>,
    first_byte: Option<Instant>,
    /// The addresses that the name had.
    pub(super) resolved: Vec<IpAddr>,
    /// The address that was connected to.
    pub(super) address: Option<IpAddr>,
    /// The server's own certificate, as far as it could be read.
    pub(super) certificate: Option<Arc<Read>>,
}

impl PhaseTimings {
    /// An empty record that tells `observer` of each phase as it begins.
    pub(super) fn new(observer: Option<Arc<dyn CheckObserver>>) -> Self {
        Self {
            recorded: Mutex::default(),
            observer,
        }
    }

    /// Runs a request with this record within reach of the hooks.
    pub(super) async fn during<F: Future>(self: &Arc<Self>, request: F) -> F::Output {
        TIMINGS.scope(Arc::clone(self), request).await
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

    /// The head of the answer is here.
    pub(super) fn answered(&self) {
        self.begin(Phase::Body, |recorded, now| recorded.first_byte = Some(now));
    }

    /// Empties the record: the next request begins.
    pub(super) fn reset(&self) {
        *self.lock() = Recorded::default();
    }
}

/// Notes something of the request that is being polled; of none, nothing.
fn note(change: impl FnOnce(&mut Recorded)) {
    // Outside of a request there is nothing to note.
    let _outside = TIMINGS.try_with(|phase_timings| change(&mut phase_timings.lock()));
}

/// Notes that a phase of the request that is being polled begins.
fn begin(phase: Phase, change: impl FnOnce(&mut Recorded, Instant)) {
    let _outside = TIMINGS.try_with(|phase_timings| phase_timings.begin(phase, change));
}

/// The resolving of the host name began.
pub(super) fn dns_started() {
    begin(Phase::Dns, |recorded, now| recorded.dns_start = Some(now));
}

/// The name has these addresses.
pub(super) fn dns_ended(addresses: &[IpAddr]) {
    begin(Phase::Connect, |recorded, now| {
        recorded.dns_end = Some(now);
        recorded.resolved = addresses.to_vec();
    });
}

/// The ClientHello is being built: TCP is done.
pub(super) fn tls_started() {
    begin(Phase::Tls, |recorded, now| recorded.tls_start = Some(now));
}

/// The connecting began: with resolving, unless the host is an IP address.
pub(super) fn connect_started() {
    begin(Phase::Connect, |recorded, now| {
        recorded.connect_start = Some(now);
    });
}

/// There is a connection, TLS included, to this address.
pub(super) fn connected_to(address: Option<IpAddr>) {
    begin(Phase::FirstByte, |recorded, now| {
        recorded.connect_end = Some(now);
        recorded.address = address;
    });
}

/// The server showed this certificate, good or bad; `None` if it cannot be read.
pub(super) fn certificate_seen(read: Option<Arc<Read>>) {
    note(|recorded| recorded.certificate = read);
}

impl Recorded {
    /// How long each phase took, as far as it ended.
    pub(super) fn phases(&self) -> Phases {
        let between = |from: Option<Instant>, to: Option<Instant>| Some(to? - from?);
        let tcp_start = self.dns_end.or(self.connect_start);
        let tcp_end = self.tls_start.or(self.connect_end);
        Phases {
            dns: between(self.dns_start, self.dns_end),
            connect: between(tcp_start, tcp_end),
            tls: between(self.tls_start, self.connect_end),
            first_byte: between(self.connect_end, self.first_byte),
        }
    }

    /// The phase that has begun and not ended.
    pub(super) fn current(&self) -> Phase {
        if self.first_byte.is_some() {
            Phase::Body
        } else if self.connect_end.is_some() {
            Phase::FirstByte
        } else if self.tls_start.is_some() {
            Phase::Tls
        } else if self.dns_start.is_some() && self.dns_end.is_none() {
            Phase::Dns
        } else {
            Phase::Connect
        }
    }
}
