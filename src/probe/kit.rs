//! Makes probers, real or scripted.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::http::Prober;
use super::script::Script;
use super::shared::Shared;
use super::tls;

/// Why no prober can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitError(pub String);

impl fmt::Display for KitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KitError {}

/// Makes probers: real ones, or scripted ones for tests of whatever runs them.
#[derive(Clone, Debug)]
pub enum Kit {
    /// Probers that ask real sites.
    Http(Shared),
    /// Probers that answer from a script.
    Scripted(Arc<Script>),
}

impl Kit {
    /// A kit that trusts the system's certificates and those of `ca_file`.
    ///
    /// # Errors
    /// A `ca_file` that cannot be read or holds no certificate.
    pub fn http(ca_file: Option<&Path>) -> Result<Self, KitError> {
        tls::install_provider();
        Ok(Self::Http(Shared::new(tls::client_config(ca_file)?)))
    }

    /// A kit of probers that follow `script`.
    #[must_use]
    pub fn scripted(script: Script) -> Self {
        Self::Scripted(Arc::new(script))
    }

    /// A prober for one runtime; it must not be used on another.
    #[must_use]
    pub fn prober(&self) -> Prober {
        match self {
            Self::Http(shared) => Prober::http(shared),
            Self::Scripted(script) => Prober::scripted(Arc::clone(script)),
        }
    }
}
