//! What all probers of a process share.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;

use super::resolve::Settings;

/// One TLS configuration and one reading of the resolver's settings for all runtimes.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) tls: Arc<ClientConfig>,
    resolver: Arc<OnceLock<Arc<Settings>>>,
}

impl Shared {
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self {
            tls,
            resolver: Arc::new(OnceLock::new()),
        }
    }

    /// Read when the first prober is made, which happens off the main thread.
    pub(super) fn resolver(&self) -> Arc<Settings> {
        Arc::clone(self.resolver.get_or_init(|| Arc::new(Settings::system())))
    }
}
