//! The parts that all probers of a process share.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use super::resolve::Settings;
use super::tls::Authority;
use super::workload::WorkloadSpec;

/// One TLS configuration and one reading of the resolver's settings for all runtimes.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) tls: Arc<ClientConfig>,
    resolver: Arc<OnceLock<Arc<Settings>>>,
    pub(super) config: Arc<FactoryConfig>,
}

impl Shared {
    pub(super) fn new(tls: Arc<ClientConfig>, config: FactoryConfig) -> Self {
        Self {
            tls,
            resolver: Arc::new(OnceLock::new()),
            config: Arc::new(config),
        }
    }

    /// Read when the first prober is made, which happens off the main thread.
    pub(super) fn resolver(&self) -> Arc<Settings> {
        Arc::clone(self.resolver.get_or_init(|| Arc::new(Settings::system())))
    }
}

/// The serialisable configuration of a factory. Holds the certificates themselves, so that a
/// change of their file does not matter to another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactoryConfig(pub(super) ProberKind);

impl FactoryConfig {
    /// The workload, if the probers send no requests.
    #[must_use]
    pub const fn workload(&self) -> Option<WorkloadSpec> {
        match self.0 {
            ProberKind::Workload(workload) => Some(workload),
            ProberKind::Http(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProberKind {
    /// Probers that send requests and trust these certificates besides the system's.
    Http(Option<Authority>),
    /// Probers that do this work instead.
    #[serde(rename = "toy")]
    Workload(WorkloadSpec),
}
