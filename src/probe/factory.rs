//! The factory of probers: of real ones, fakes, and workloads.

use std::fmt;
use std::sync::Arc;

use crate::domain::CertificateFile;

use super::fake::FakeProbe;
use super::prober::Prober;
use super::shared::{FactoryConfig, ProberKind, Shared};
use super::tls::{self, Authority, Tls};
use super::workload::{Halt, WorkloadRunner, WorkloadSpec};

/// Why no factory can be made: a sentence that names the file or the library's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactoryError(pub String);

impl fmt::Display for FactoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FactoryError {}

/// Makes one prober for each runtime.
#[derive(Clone, Debug)]
pub enum ProberFactory {
    /// Probers that send requests.
    Http(Shared),
    /// Probers with prescribed results, for tests of the paradigms.
    Fake(Arc<FakeProbe>),
    /// Probers that send no request: they wait or compute.
    Workload {
        /// The configuration from which another process makes an equal factory.
        config: Arc<FactoryConfig>,
        /// The work of each check.
        workload: WorkloadSpec,
        /// Ends the computing checks of this process.
        halt: Halt,
    },
}

impl ProberFactory {
    /// A factory of probers that trust the certificates of the system and of `ca_file`.
    ///
    /// # Errors
    /// A `ca_file` that holds no certificate, or one that cannot be used.
    pub fn http(ca_file: Option<&CertificateFile>) -> Result<Self, FactoryError> {
        let authority = ca_file.map(Authority::of);
        Self::from_config(FactoryConfig(ProberKind::Http(authority)))
    }

    /// A factory of probers that do the work of `workload`, until `halt` ends it.
    #[must_use]
    pub fn workload(workload: WorkloadSpec, halt: Halt) -> Self {
        let config = Arc::new(FactoryConfig(ProberKind::Workload(workload)));
        Self::Workload {
            config,
            workload,
            halt,
        }
    }

    /// A factory of probers that follow `fake`.
    #[must_use]
    pub fn fake(fake: FakeProbe) -> Self {
        Self::Fake(Arc::new(fake))
    }

    /// A factory equal to the one that gave `config`.
    ///
    /// # Errors
    /// If the certificates cannot be used.
    pub fn from_config(config: FactoryConfig) -> Result<Self, FactoryError> {
        let factory = Self::without_roots(config)?;
        factory.read_roots();
        Ok(factory)
    }

    /// The same for a process whose checks all run on one thread: it reads the system's roots
    /// when it is told to ([`Self::read_roots`]), or with the first certificate.
    ///
    /// # Errors
    /// If the certificates cannot be used.
    pub fn without_roots(config: FactoryConfig) -> Result<Self, FactoryError> {
        let authority = match &config.0 {
            ProberKind::Http(authority) => authority.as_ref(),
            ProberKind::Workload(workload) => {
                return Ok(Self::workload(*workload, Halt::default()));
            }
        };
        tls::install_provider();
        let tls = Tls::new(authority)?;
        Ok(Self::Http(Shared::new(tls, config)))
    }

    /// Reads the roots that its probers trust, if that has not been done.
    pub fn read_roots(&self) {
        if let Self::Http(shared) = self {
            shared.tls.read_roots();
        }
    }

    /// The configuration from which another process makes an equal factory; `None` for a
    /// factory of fakes, which are code of this process.
    #[must_use]
    pub fn config(&self) -> Option<&FactoryConfig> {
        match self {
            Self::Http(shared) => Some(&shared.config),
            Self::Workload { config, .. } => Some(config),
            Self::Fake(_) => None,
        }
    }

    /// A prober for one runtime; it must not be used on another.
    #[must_use]
    pub fn prober(&self) -> Prober {
        match self {
            Self::Http(shared) => Prober::network(shared),
            Self::Fake(fake) => Prober::fake(Arc::clone(fake)),
            Self::Workload { workload, halt, .. } => {
                Prober::workload(WorkloadRunner::new(*workload, halt.clone()))
            }
        }
    }
}
