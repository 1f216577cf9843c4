//! The requests of a check so far. Kept outside of its future, so that they are known even if
//! the timeout ends the check.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::{
    Certificate, CheckObserver, CheckSpec, MaskedUrl, Method, Phases, RequestRecord, clean,
    sentence,
};

use super::phase_timings::PhaseTimings;

/// The longest URL of a request that is kept, in characters.
const MOST_URL: usize = 300;

/// Addresses of a name that are kept.
const MOST_ADDRESSES: usize = 8;

/// The requests of one check.
#[derive(Debug)]
pub(super) struct RequestLog {
    pub(super) phase_timings: Arc<PhaseTimings>,
    pub(super) method: Method,
    pub(super) attempts: u16,
    pub(super) redirects: u16,
    pub(super) status: Option<u16>,
    pub(super) certificate: Option<Certificate>,
    pub(super) requests: Vec<RequestRecord>,
    open: Option<(Box<str>, Instant)>,
}

impl RequestLog {
    pub(super) fn new(spec: &CheckSpec, observer: Option<Arc<dyn CheckObserver>>) -> Self {
        Self {
            phase_timings: Arc::new(PhaseTimings::new(observer)),
            method: if spec.contains.is_some() {
                Method::Get
            } else {
                Method::Head
            },
            attempts: 1,
            redirects: 0,
            status: None,
            certificate: None,
            requests: Vec::with_capacity(1),
            open: None,
        }
    }

    /// The text of a URL in [`RequestRecord::url`].
    pub(super) fn shown(url: &MaskedUrl) -> Box<str> {
        clean(url.shown(), MOST_URL).into_boxed_str()
    }

    /// Begins the next request; `shown` is the masked text of its URL.
    pub(super) fn begin_request(&mut self, shown: &str) {
        self.phase_timings.reset();
        self.open = Some((shown.into(), Instant::now()));
    }

    /// Ends the request with its status and outcome; does nothing if none is open.
    pub(super) fn end_request(&mut self, status: Option<u16>, note: &str) {
        let Some((url, began)) = self.open.take() else {
            return;
        };
        let mut recorded = self.phase_timings.lock();
        let mut resolved = std::mem::take(&mut recorded.resolved);
        resolved.truncate(MOST_ADDRESSES);
        if let Some(read) = recorded.certificate.take() {
            self.certificate = Some(read.shown.clone());
        }
        self.requests.push(RequestRecord {
            method: self.method,
            url,
            address: recorded.address,
            resolved,
            status,
            phases: recorded.phases(),
            took: began.elapsed(),
            note: sentence(note),
        });
    }

    pub(super) const fn ask_again_by_get(&mut self) {
        self.method = Method::Get;
        self.attempts += 1;
        self.status = None;
    }

    /// The phases of the last request.
    pub(super) fn phases(&self) -> Phases {
        self.requests
            .last()
            .map_or_else(Phases::default, |request| request.phases)
    }
}
