//! The row of a channel in the table of channels.

use std::fmt;
use std::path::PathBuf;

use crate::domain::{AddressForm, KnownChannel};

use super::channel::{Channel, OwnerAddress};
use super::settings::ChannelSettings;

/// One kind of channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelEntry {
    /// The name of the channel, which is the owner's key in `sites.toml`.
    pub name: &'static str,
    /// What an owner's key of this name holds.
    pub form: AddressForm,
    /// An address, fit to be shown: without secrets.
    pub shown: fn(&OwnerAddress) -> Box<str>,
    /// Whether the settings that the channel needs are there.
    pub ready: fn(&ChannelSettings) -> bool,
    /// Bytes that a message may have.
    pub limit: usize,
    /// Makes the channel.
    pub make: fn(&ChannelSettings) -> Result<Box<dyn Channel>, ChannelError>,
}

impl ChannelEntry {
    /// The channel as the configuration knows it.
    #[must_use]
    pub const fn known(&self) -> KnownChannel {
        KnownChannel {
            name: self.name,
            form: self.form,
        }
    }
}

/// Why a channel cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelError {
    /// `sites.toml` has no table of this name.
    NotConfigured(&'static str),
    /// A secret cannot be read: the sentence says why.
    Credential(String),
    /// The file of additional certificates cannot be used: why, in plain words.
    CaFile(PathBuf, String),
    /// No TLS client can be made: why.
    Tls(String),
    /// The sender's address is none for mail: the key, its value, and why.
    Sender(String),
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured(table) => write!(f, "sites.toml has no [{table}]"),
            Self::CaFile(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Credential(why) | Self::Tls(why) | Self::Sender(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ChannelError {}
