//! What a check has done so far. Kept outside of the future that does it, so that what a
//! deadline cuts short is known as well.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::{
    Certificate, CheckSpec, Hop, MaskedUrl, Method, Phases, Witness, clean, sentence,
};

use super::marks::Marks;

/// The longest URL of a hop that is kept, in characters.
const MOST_URL: usize = 300;

/// Addresses of a name that are kept.
const MOST_ADDRESSES: usize = 8;

/// The requests of one check.
#[derive(Debug)]
pub(super) struct Trail {
    pub(super) marks: Arc<Marks>,
    pub(super) method: Method,
    pub(super) attempts: u16,
    pub(super) redirects: u16,
    pub(super) status: Option<u16>,
    pub(super) certificate: Option<Certificate>,
    pub(super) hops: Vec<Hop>,
    open: Option<(Box<str>, Instant)>,
}

impl Trail {
    pub(super) fn new(spec: &CheckSpec, witness: Option<Arc<dyn Witness>>) -> Self {
        Self {
            marks: Arc::new(Marks::new(witness)),
            method: if spec.contains.is_some() {
                Method::Get
            } else {
                Method::Head
            },
            attempts: 1,
            redirects: 0,
            status: None,
            certificate: None,
            hops: Vec::with_capacity(1),
            open: None,
        }
    }

    /// A URL as a hop shows it.
    pub(super) fn shown(url: &MaskedUrl) -> Box<str> {
        clean(url.shown(), MOST_URL).into_boxed_str()
    }

    /// The next request begins, to the URL that shows like this.
    pub(super) fn begin_hop(&mut self, shown: &str) {
        self.marks.reset();
        self.open = Some((shown.into(), Instant::now()));
    }

    /// The hop is over; a second call for the same hop does nothing.
    pub(super) fn end_hop(&mut self, status: Option<u16>, note: &str) {
        let Some((url, began)) = self.open.take() else {
            return;
        };
        let mut noted = self.marks.lock();
        let mut resolved = std::mem::take(&mut noted.resolved);
        resolved.truncate(MOST_ADDRESSES);
        if let Some(read) = noted.certificate.take() {
            self.certificate = Some(read.shown.clone());
        }
        self.hops.push(Hop {
            method: self.method,
            url,
            address: noted.address,
            resolved,
            status,
            phases: noted.phases(),
            took: began.elapsed(),
            note: sentence(note),
        });
    }

    pub(super) const fn ask_again_by_get(&mut self) {
        self.method = Method::Get;
        self.attempts += 1;
        self.status = None;
    }

    /// The phases of the request that decided.
    pub(super) fn phases(&self) -> Phases {
        self.hops
            .last()
            .map_or_else(Phases::default, |hop| hop.phases)
    }
}
