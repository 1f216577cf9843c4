//! What all probers of a process share.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use super::http::Prober;
use super::resolve::Settings;
use super::script::Script;
use super::tls::{self, Authority};

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

/// One TLS configuration and one reading of the resolver's settings for all runtimes.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) tls: Arc<ClientConfig>,
    resolver: Arc<OnceLock<Arc<Settings>>>,
    recipe: Arc<Recipe>,
}

impl Shared {
    /// Read when the first prober is made, which happens off the main thread.
    pub(super) fn resolver(&self) -> Arc<Settings> {
        Arc::clone(self.resolver.get_or_init(|| Arc::new(Settings::system())))
    }
}

/// What another process needs to make probers of the same kind, whatever has become of the
/// files meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    authority: Option<Authority>,
}

impl Recipe {
    /// Makes the kit.
    ///
    /// # Errors
    /// If the certificates cannot be used.
    pub fn kit(self) -> Result<Kit, KitError> {
        tls::install_provider();
        Ok(Kit::Http(Shared {
            tls: tls::client_config(self.authority.as_ref())?,
            resolver: Arc::new(OnceLock::new()),
            recipe: Arc::new(self),
        }))
    }
}

impl Kit {
    /// A kit that trusts the system's certificates and those of `ca_file`.
    ///
    /// # Errors
    /// A `ca_file` that cannot be read or holds no certificate.
    pub fn http(ca_file: Option<&Path>) -> Result<Self, KitError> {
        let authority = ca_file.map(Authority::read).transpose()?;
        Recipe { authority }.kit()
    }

    /// A kit of probers that follow `script`.
    #[must_use]
    pub fn scripted(script: Script) -> Self {
        Self::Scripted(Arc::new(script))
    }

    /// What another process needs to make the same kit; `None` for a scripted one, whose
    /// script is code of this process.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Self::Http(shared) => Some(&shared.recipe),
            Self::Scripted(_) => None,
        }
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
