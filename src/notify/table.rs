//! The table of channels: every loop over channels is over this.

use std::time::Duration;

use crate::domain::KnownChannel;

use super::address_fields::without_secrets;
use super::channel::{Channel, DeliveryFailure, OutgoingMessage, Sent};
use super::channel_entry::ChannelEntry;
use super::settings::NotifyPlan;
use super::{
    alertmanager, discord, email, exec, googlechat, gotify, matrix, mattermost, ntfy, pagerduty,
    pushover, rocketchat, slack, teams, telegram, twilio, webhook,
};

/// The longest time that one delivery may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

/// Every channel, in the order in which an owner is told.
pub const ALL: [ChannelEntry; 17] = [
    email::ENTRY,
    twilio::ENTRY,
    ntfy::ENTRY,
    webhook::ENTRY,
    slack::ENTRY,
    mattermost::ENTRY,
    rocketchat::ENTRY,
    googlechat::ENTRY,
    discord::ENTRY,
    teams::ENTRY,
    telegram::ENTRY,
    matrix::ENTRY,
    pagerduty::ENTRY,
    alertmanager::ENTRY,
    pushover::ENTRY,
    gotify::ENTRY,
    exec::ENTRY,
];

/// The channels as the configuration knows them.
pub static KNOWN_CHANNELS: [KnownChannel; ALL.len()] = {
    let [first, ..] = ALL;
    let mut known = [first.known(); ALL.len()];
    let mut at = 1;
    while at < ALL.len() {
        known[at] = ALL[at].known();
        at += 1;
    }
    known
};

/// The channels that are configured and on which the owner has an address.
pub fn channels_of(plan: &NotifyPlan, owner: &str) -> impl Iterator<Item = &'static ChannelEntry> {
    let addresses = plan.addresses.get(owner);
    ALL.iter().filter(move |entry| {
        let has_address = addresses.is_some_and(|known| known.contains_key(entry.name));
        has_address && (entry.ready)(&plan.settings)
    })
}

/// Delivers one message within `DELIVERY_TIMEOUT`. No secret of its address stands in what comes
/// back.
///
/// # Errors
/// The server's answer, or that there was none.
pub async fn deliver(
    channel: &dyn Channel,
    message: &OutgoingMessage,
) -> Result<Sent, DeliveryFailure> {
    let delivery = tokio::time::timeout(DELIVERY_TIMEOUT, channel.deliver(message));
    let result = delivery.await.unwrap_or_else(|_elapsed| {
        let seconds = DELIVERY_TIMEOUT.as_secs();
        let sentence = format!("no answer within {seconds} s");
        Err(DeliveryFailure::passing(&sentence))
    });
    let masked = |text: &str| without_secrets(text, &message.to).into_boxed_str();
    match result {
        Ok(Sent(answer)) => Ok(Sent(masked(&answer))),
        Err(failure) => Err(DeliveryFailure {
            answer: masked(&failure.answer),
            ..failure
        }),
    }
}
