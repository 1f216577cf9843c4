//! The plan of delivery: the owners, and the settings of the channels with their secrets read.
//! The wiring builds it from the configuration.

use std::fmt;

use crate::domain::{CertificateFile, NotifySettings, Owner, OwnerAddresses};

/// A secret that was read, or the sentence that says why it could not be. `Debug` shows
/// neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(pub Result<Box<str>, String>);

impl Credential {
    /// The secret.
    ///
    /// # Errors
    /// The sentence that says why it could not be read.
    pub fn expose(&self) -> Result<&str, String> {
        self.0.as_deref().map_err(Clone::clone)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(***)")
    }
}

/// What channels are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelSettings {
    /// The settings of `[notify]`.
    pub notify: NotifySettings<Credential>,
    /// Certificates that are trusted besides the system's.
    pub ca_file: Option<CertificateFile>,
}

/// The owners that may be told, and the channels. A changed configuration replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyPlan {
    /// All owners of the configuration.
    pub owners: Vec<Owner>,
    /// Their addresses, by owner and channel.
    pub addresses: OwnerAddresses<Credential>,
    /// The settings of the channels.
    pub settings: ChannelSettings,
}
