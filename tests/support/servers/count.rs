//! What a server saw: connections, requests, and how many were here at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// What one server saw since the last [`Count::reset`].
#[derive(Debug)]
pub(crate) struct Count {
    connections: AtomicUsize,
    requests: AtomicUsize,
    here: AtomicUsize,
    most: watch::Sender<usize>,
    unexpected: Mutex<Vec<String>>,
    paths: Mutex<BTreeMap<String, Path>>,
}

/// What is known of one path.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Path {
    /// Requests since the beginning.
    pub(crate) requests: usize,
    /// Requests that are being served.
    here: usize,
    /// The most of them at once.
    pub(crate) most: usize,
}

impl Count {
    pub(crate) fn new() -> Self {
        Self {
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            here: AtomicUsize::new(0),
            most: watch::Sender::new(0),
            unexpected: Mutex::new(Vec::new()),
            paths: Mutex::default(),
        }
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }

    /// A request was read. It counts as here until the guard is dropped, which the player does
    /// before the last bytes of an answer: a client that has its answer may come again.
    pub(crate) fn request(&self, path: &str) -> Here<'_> {
        let mut paths = self.paths.lock().unwrap();
        let known = paths.entry(path.to_owned()).or_default();
        known.requests += 1;
        known.here += 1;
        known.most = known.most.max(known.here);
        drop(paths);
        self.requests.fetch_add(1, Ordering::SeqCst);
        let here = self.here.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.send_if_modified(|most| {
            let more = here > *most;
            *most = here.max(*most);
            more
        });
        Here(self, path.to_owned())
    }

    /// What is known of `path` since the beginning; a reset changes nothing here.
    pub(crate) fn path(&self, path: &str) -> Path {
        let paths = self.paths.lock().unwrap();
        paths.get(path).copied().unwrap_or_default()
    }

    /// Waits until `count` requests were here at once.
    pub(crate) async fn gathered(&self, count: usize) {
        let mut most = self.most.subscribe();
        // The sender lives as long as the receiver: waiting cannot fail.
        let _ = most.wait_for(|most| *most >= count).await;
    }

    pub(crate) fn unexpected(&self, request: String) {
        self.unexpected.lock().unwrap().push(request);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The most requests that were here at once.
    pub(crate) fn most_at_once(&self) -> usize {
        *self.most.borrow()
    }

    /// Requests that the script has no answer for.
    pub(crate) fn take_unexpected(&self) -> Vec<String> {
        std::mem::take(&mut *self.unexpected.lock().unwrap())
    }

    pub(crate) fn reset(&self) {
        self.connections.store(0, Ordering::SeqCst);
        self.requests.store(0, Ordering::SeqCst);
        self.most.send_replace(0);
        self.take_unexpected();
    }
}

/// A request that is being served.
pub(crate) struct Here<'count>(&'count Count, String);

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.here.fetch_sub(1, Ordering::SeqCst);
        if let Some(path) = self.0.paths.lock().unwrap().get_mut(&self.1) {
            path.here -= 1;
        }
    }
}
