//! The parts that all probers of a process share.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::http::{AssertionCache, BufferPool, HeadMemory};
use super::names::SystemFiles;
use super::tls::{Authority, Tls};
use super::workload::WorkloadSpec;

/// One TLS configuration, one reading of the system's files and one bound on memory for all
/// runtimes.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) tls: Arc<Tls>,
    pub(super) files: Arc<SystemFiles>,
    pub(super) heads: HeadMemory,
    pub(super) assertions: AssertionCache,
    pub(super) bodies: BufferPool,
    pub(super) config: Arc<FactoryConfig>,
}

impl Shared {
    pub(super) fn new(tls: Tls, config: FactoryConfig) -> Self {
        Self {
            tls: Arc::new(tls),
            files: Arc::default(),
            heads: HeadMemory::new(),
            assertions: AssertionCache::default(),
            bodies: BufferPool::default(),
            config: Arc::new(config),
        }
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
