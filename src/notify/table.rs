//! The table of channels: every loop over channels is over this.

use std::time::Duration;

use crate::domain::Owner;

use super::channel::{Channel, DeliveryFailure, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::settings::ChannelSettings;
use super::{email, ntfy, twilio, webhook};

/// The longest time that one delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Every channel, in the order in which an owner is told.
pub const ALL: [ChannelEntry; 4] = [email::ENTRY, twilio::ENTRY, ntfy::ENTRY, webhook::ENTRY];

/// The channels that are configured and on which the owner has an address.
pub fn channels_of(
    settings: &ChannelSettings,
    owner: &Owner,
) -> impl Iterator<Item = &'static ChannelEntry> {
    ALL.iter()
        .filter(|entry| (entry.ready)(settings) && (entry.address)(owner).is_some())
}

/// Delivers one message within `DELIVERY_TIMEOUT`.
///
/// # Errors
/// The server's answer, or that there was none.
pub async fn deliver(
    channel: &dyn Channel,
    message: &OutgoingMessage,
) -> Result<Sent, DeliveryFailure> {
    tokio::time::timeout(DELIVERY_TIMEOUT, channel.deliver(message))
        .await
        .unwrap_or_else(|_elapsed| {
            let seconds = DELIVERY_TIMEOUT.as_secs();
            Err(DeliveryFailure::passing(&format!(
                "no answer within {seconds} s"
            )))
        })
}
