//! What the table says of a channel.

use crate::domain::Owner;

use super::channel::Channel;
use super::settings::ChannelSettings;

/// One channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelEntry {
    /// Its name: the owner's key in `sites.toml`.
    pub name: &'static str,
    /// Where it reaches an owner, if it does.
    pub address: fn(&Owner) -> Option<Box<str>>,
    /// The same, fit to be shown.
    pub shown: fn(&Owner) -> Option<Box<str>>,
    /// Whether it is configured at all.
    pub ready: fn(&ChannelSettings) -> bool,
    /// Makes it; the sentence says why it cannot be made.
    pub make: fn(&ChannelSettings) -> Result<Box<dyn Channel>, String>,
}
