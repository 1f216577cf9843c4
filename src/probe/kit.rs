//! Makes probers, real or scripted.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::http::Prober;
use super::script::Script;
use super::shared::{Ingredients, Recipe, Shared};
use super::tls::{self, Authority};
use super::toy::{Halt, Player, Toy};

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
    /// Probers that ask nobody: they wait, or compute.
    Toy {
        /// What another process needs for the same work.
        recipe: Arc<Recipe>,
        /// What the probers do.
        toy: Toy,
        /// Ends those of this process that compute.
        halt: Halt,
    },
}

impl Kit {
    /// A kit that trusts the system's certificates and those of `ca_file`.
    ///
    /// # Errors
    /// A `ca_file` that cannot be read or holds no certificate.
    pub fn http(ca_file: Option<&Path>) -> Result<Self, KitError> {
        let authority = ca_file.map(Authority::read).transpose()?;
        Self::by(Recipe(Ingredients::Http(authority)))
    }

    /// A kit of probers that do the work of `toy`, until `halt` ends it.
    #[must_use]
    pub fn toy(toy: Toy, halt: Halt) -> Self {
        let recipe = Arc::new(Recipe(Ingredients::Toy(toy)));
        Self::Toy { recipe, toy, halt }
    }

    /// A kit of probers that follow `script`.
    #[must_use]
    pub fn scripted(script: Script) -> Self {
        Self::Scripted(Arc::new(script))
    }

    /// A kit like the one that gave the recipe.
    ///
    /// # Errors
    /// If the certificates cannot be used.
    pub fn by(recipe: Recipe) -> Result<Self, KitError> {
        let authority = match &recipe.0 {
            Ingredients::Http(authority) => authority.as_ref(),
            Ingredients::Toy(toy) => return Ok(Self::toy(*toy, Halt::default())),
        };
        tls::install_provider();
        let tls = tls::client_config(authority)?;
        Ok(Self::Http(Shared::new(tls, recipe)))
    }

    /// What another process needs to make the same kit; `None` for a scripted one, whose
    /// script is code of this process.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Self::Http(shared) => Some(&shared.recipe),
            Self::Toy { recipe, .. } => Some(recipe),
            Self::Scripted(_) => None,
        }
    }

    /// A prober for one runtime; it must not be used on another.
    #[must_use]
    pub fn prober(&self) -> Prober {
        match self {
            Self::Http(shared) => Prober::http(shared),
            Self::Scripted(script) => Prober::scripted(Arc::clone(script)),
            Self::Toy { toy, halt, .. } => Prober::toy(Player::new(*toy, halt.clone())),
        }
    }
}
