//! The table of channels. Whoever iterates over channels iterates over this.

use std::time::Duration;

use crate::domain::Owner;

use super::channel::{Channel, Failure, Parcel, Sent};
use super::entry::Entry;
use super::settings::Settings;
use super::{email, push, sms, webhook};

/// How long one delivery may take, whatever the other side does.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every channel.
pub const ALL: [Entry; 4] = [email::ENTRY, sms::ENTRY, push::ENTRY, webhook::ENTRY];

/// The channels by which an owner is told.
pub fn ways(settings: &Settings, owner: &Owner) -> impl Iterator<Item = &'static Entry> {
    ALL.iter()
        .filter(|entry| (entry.ready)(settings) && (entry.address)(owner).is_some())
}

/// Delivers one parcel within a bounded time.
///
/// # Errors
/// What the other side said, or that it said nothing.
pub async fn deliver(channel: &dyn Channel, parcel: &Parcel) -> Result<Sent, Failure> {
    tokio::time::timeout(PATIENCE, channel.deliver(parcel))
        .await
        .unwrap_or_else(|_elapsed| {
            let seconds = PATIENCE.as_secs();
            Err(Failure::passing(&format!("no answer within {seconds} s")))
        })
}
