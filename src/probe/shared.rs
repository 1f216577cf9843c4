//! What all probers of a process share.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use super::resolve::Settings;
use super::tls::Authority;
use super::toy::Toy;

/// One TLS configuration and one reading of the resolver's settings for all runtimes.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) tls: Arc<ClientConfig>,
    resolver: Arc<OnceLock<Arc<Settings>>>,
    pub(super) recipe: Arc<Recipe>,
}

impl Shared {
    pub(super) fn new(tls: Arc<ClientConfig>, recipe: Recipe) -> Self {
        Self {
            tls,
            resolver: Arc::new(OnceLock::new()),
            recipe: Arc::new(recipe),
        }
    }

    /// Read when the first prober is made, which happens off the main thread.
    pub(super) fn resolver(&self) -> Arc<Settings> {
        Arc::clone(self.resolver.get_or_init(|| Arc::new(Settings::system())))
    }
}

/// What another process needs to make probers of the same kind, whatever has become of the
/// files meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe(pub(super) Ingredients);

impl Recipe {
    /// The toy whose work the probers do, if they ask nobody.
    #[must_use]
    pub const fn toy(&self) -> Option<Toy> {
        match self.0 {
            Ingredients::Toy(toy) => Some(toy),
            Ingredients::Http(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ingredients {
    /// Probers that ask real sites, and trust these besides the system's.
    Http(Option<Authority>),
    /// Probers that do the work of a toy.
    Toy(Toy),
}
