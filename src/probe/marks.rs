//! When each phase of a request began and ended, noted by hooks deep inside the client.
//!
//! With the connection pool off, the client looks names up, connects and shakes hands
//! inside the request's own future, so a task-local reaches every hook; nothing of it needs
//! a lock that is ever contended.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tower::{Layer, Service};

use crate::domain::{Phase, Phases};

tokio::task_local! {
    static MARKS: Arc<Marks>;
}

/// What the hooks noted of one request.
#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<Noted>);

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
    /// The server's own certificate, as it came.
    pub(super) certificate: Option<Vec<u8>>,
}

impl Marks {
    /// Runs a request with these marks in the hooks' reach.
    pub(super) async fn during<F: Future>(self: &Arc<Self>, request: F) -> F::Output {
        MARKS.scope(Arc::clone(self), request).await
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Noted> {
        // A panic while noting an instant leaves the other instants as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The name is being looked up.
pub(super) fn dns_started() {
    note(|noted| noted.dns_start = Some(Instant::now()));
}

/// The name has these addresses.
pub(super) fn dns_ended(addresses: &[IpAddr]) {
    note(|noted| {
        noted.dns_end = Some(Instant::now());
        noted.resolved = addresses.to_vec();
    });
}

/// The ClientHello is being built: TCP is done.
pub(super) fn tls_started() {
    note(|noted| noted.tls_start = Some(Instant::now()));
}

/// There is a connection to this address.
pub(super) fn connected_to(address: IpAddr) {
    note(|noted| noted.address = Some(address));
}

/// The server showed this certificate, good or bad.
pub(super) fn certificate_seen(der: &[u8]) {
    note(|noted| noted.certificate = Some(der.to_vec()));
}

impl Noted {
    /// The head of the answer is here.
    pub(super) fn answered(&mut self) {
        self.first_byte = Some(Instant::now());
    }

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

/// A layer around the client's connector that notes when it began and succeeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct MarkConnections;

impl<S> Layer<S> for MarkConnections {
    type Service = Marked<S>;

    fn layer(&self, inner: S) -> Marked<S> {
        Marked(inner)
    }
}

/// A connector that notes.
#[derive(Clone, Debug)]
pub(super) struct Marked<S>(S);

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<S, R> Service<R> for Marked<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Connecting<S::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        note(|noted| noted.connect_start = Some(Instant::now()));
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await?;
            note(|noted| noted.connect_end = Some(Instant::now()));
            Ok(connected)
        })
    }
}
