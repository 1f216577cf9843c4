//! The table of channels. Whoever iterates over channels iterates over this.

use std::time::Duration;

use crate::domain::Owner;

use super::channel::{Channel, Failure, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::settings::ChannelSettings;
use super::{email, ntfy, twilio, webhook};

/// How long one delivery may take, whatever the other side does.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Every channel.
pub const ALL: [ChannelEntry; 4] = [email::ENTRY, twilio::ENTRY, ntfy::ENTRY, webhook::ENTRY];

/// The channels by which an owner is told.
pub fn channels_of(
    settings: &ChannelSettings,
    owner: &Owner,
) -> impl Iterator<Item = &'static ChannelEntry> {
    ALL.iter()
        .filter(|entry| (entry.ready)(settings) && (entry.address)(owner).is_some())
}

/// Delivers one message within a bounded time.
///
/// # Errors
/// What the other side said, or that it said nothing.
pub async fn deliver(channel: &dyn Channel, message: &OutgoingMessage) -> Result<Sent, Failure> {
    tokio::time::timeout(DELIVERY_TIMEOUT, channel.deliver(message))
        .await
        .unwrap_or_else(|_elapsed| {
            let seconds = DELIVERY_TIMEOUT.as_secs();
            Err(Failure::passing(&format!("no answer within {seconds} s")))
        })
}
