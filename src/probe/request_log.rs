//! The requests of a check so far. Kept outside of its future, so that they are known even if
//! the timeout ends the check.

use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

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
    pub(super) method: Method,
    pub(super) attempts: u16,
    pub(super) redirects: u16,
    pub(super) status: Option<u16>,
    pub(super) certificate: Option<Certificate>,
    pub(super) requests: Vec<RequestRecord>,
    /// At most two: a HEAD, and the GET beside it.
    open: SmallVec<[OpenRequest; 2]>,
    observer: Option<Arc<dyn CheckObserver>>,
}

/// A request that has not ended.
#[derive(Debug)]
struct OpenRequest {
    method: Method,
    url: Box<str>,
    began: Instant,
    timings: Arc<PhaseTimings>,
}

impl RequestLog {
    pub(super) fn new(spec: &CheckSpec, observer: Option<Arc<dyn CheckObserver>>) -> Self {
        Self {
            method: spec.first_method(),
            attempts: 1,
            redirects: 0,
            status: None,
            certificate: None,
            requests: Vec::with_capacity(1),
            open: SmallVec::new(),
            observer,
        }
    }

    /// The text of a URL in [`RequestRecord::url`].
    pub(super) fn shown(url: &MaskedUrl) -> Box<str> {
        clean(url.shown(), MOST_URL).into_boxed_str()
    }

    /// Begins the next request, and gives the record of its phases; `shown` is the masked text
    /// of its URL.
    pub(super) fn begin_request(&mut self, shown: &str) -> Arc<PhaseTimings> {
        let timings = Arc::new(PhaseTimings::new(self.observer.clone()));
        self.open.push(OpenRequest {
            method: self.method,
            url: shown.into(),
            began: Instant::now(),
            timings: Arc::clone(&timings),
        });
        timings
    }

    /// The record of the newest request that has not ended.
    pub(super) fn open_timings(&self) -> Option<Arc<PhaseTimings>> {
        self.open.last().map(|open| Arc::clone(&open.timings))
    }

    /// Ends all requests that have not ended.
    pub(super) fn end_all(&mut self, note: &str) {
        while let Some(open) = self.open.first() {
            let timings = Arc::clone(&open.timings);
            self.end_request(&timings, None, note);
        }
    }

    /// Ends the request of that record with its status and outcome; does nothing if it has ended.
    pub(super) fn end_request(
        &mut self,
        timings: &Arc<PhaseTimings>,
        status: Option<u16>,
        note: &str,
    ) {
        let place = self
            .open
            .iter()
            .position(|open| Arc::ptr_eq(&open.timings, timings));
        let Some(place) = place else { return };
        let OpenRequest {
            method,
            url,
            began,
            timings,
        } = self.open.remove(place);
        let mut recorded = timings.lock();
        let mut resolved = std::mem::take(&mut recorded.resolved);
        resolved.truncate(MOST_ADDRESSES);
        if let Some(read) = recorded.certificate.take() {
            self.certificate = Some(read.shown.clone());
        }
        self.requests.push(RequestRecord {
            method,
            url,
            address: recorded.address,
            resolved,
            failed_connects: recorded.failed_connects(),
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
