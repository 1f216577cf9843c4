//! When each phase of a request began and ended, noted by hooks deep inside the client.
//!
//! The client's connector looks names up, connects and shakes hands inside the check's own
//! future, so a task-local reaches every hook; nothing of it needs a lock that is ever
//! contended.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::{Phase, Phases, Witness};

use super::certificate::Read;

tokio::task_local! {
    static MARKS: Arc<Marks>;
}

/// What the hooks noted of one request.
#[derive(Debug)]
pub(super) struct Marks {
    noted: Mutex<Noted>,
    /// Who is told of each phase as it begins.
    witness: Option<Arc<dyn Witness>>,
}

/// The notes themselves.
#[derive(Debug, Default)]
pub(super) struct Noted {
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

impl Marks {
    /// Notes, and tells `witness` of each phase as it begins.
    pub(super) fn new(witness: Option<Arc<dyn Witness>>) -> Self {
        Self {
            noted: Mutex::default(),
            witness,
        }
    }

    /// Runs a request with these marks in the hooks' reach.
    pub(super) async fn during<F: Future>(self: &Arc<Self>, request: F) -> F::Output {
        MARKS.scope(Arc::clone(self), request).await
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Noted> {
        // A panic while noting an instant leaves the other instants as good as they were.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a phase begins.
    fn begin(&self, phase: Phase, change: impl FnOnce(&mut Noted, Instant)) {
        let now = Instant::now();
        change(&mut self.lock(), now);
        if let Some(witness) = &self.witness {
            witness.phase(phase, now);
        }
    }

    /// The head of the answer is here.
    pub(super) fn answered(&self) {
        self.begin(Phase::Body, |noted, now| noted.first_byte = Some(now));
    }

    /// Forgets all: the next hop begins.
    pub(super) fn reset(&self) {
        *self.lock() = Noted::default();
    }
}

/// Notes something of the request that is being polled; of none, nothing.
fn note(change: impl FnOnce(&mut Noted)) {
    // Outside of a request there is nothing to note.
    let _outside = MARKS.try_with(|marks| change(&mut marks.lock()));
}

/// Notes that a phase of the request that is being polled begins.
fn begin(phase: Phase, change: impl FnOnce(&mut Noted, Instant)) {
    let _outside = MARKS.try_with(|marks| marks.begin(phase, change));
}

/// The name is being looked up.
pub(super) fn dns_started() {
    begin(Phase::Dns, |noted, now| noted.dns_start = Some(now));
}

/// The name has these addresses.
pub(super) fn dns_ended(addresses: &[IpAddr]) {
    begin(Phase::Connect, |noted, now| {
        noted.dns_end = Some(now);
        noted.resolved = addresses.to_vec();
    });
}

/// The ClientHello is being built: TCP is done.
pub(super) fn tls_started() {
    begin(Phase::Tls, |noted, now| noted.tls_start = Some(now));
}

/// The connection is being made: first its name is looked up, unless it is an address.
pub(super) fn connect_started() {
    begin(Phase::Connect, |noted, now| noted.connect_start = Some(now));
}

/// There is a connection, TLS included, to this address.
pub(super) fn connected_to(address: Option<IpAddr>) {
    begin(Phase::FirstByte, |noted, now| {
        noted.connect_end = Some(now);
        noted.address = address;
    });
}

/// The server showed this certificate, good or bad; `None` if it cannot be read.
pub(super) fn certificate_seen(read: Option<Arc<Read>>) {
    note(|noted| noted.certificate = read);
}

impl Noted {
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
