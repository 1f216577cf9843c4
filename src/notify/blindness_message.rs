//! The message to owners after the monitor was blind: from when to when, and why. It is sent
//! once the monitor can see again.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{Owner, Timestamp, brief, clean};
use crate::history::Message;

use super::message::message_id;
use super::service_messages::note;
use super::settings::ChannelSettings;
use super::table::channels_of;

/// A period in which the monitor was blind.
#[derive(Clone, Debug)]
pub struct BlindPeriod<'a> {
    /// The time of the first failure that was not believed.
    pub since: Timestamp,
    /// The time at which a canary answered again.
    pub until: Timestamp,
    /// Its length by the monotonic clock.
    pub lasted: Duration,
    /// The evidence for it, in words.
    pub why: &'a str,
    /// The time zone of the times in the message.
    pub zone: &'a TimeZone,
}

impl BlindPeriod<'_> {
    /// The messages about it, one per owner and channel.
    pub fn messages<'o>(
        &self,
        settings: &ChannelSettings,
        owners: impl IntoIterator<Item = &'o Owner>,
    ) -> Vec<Message> {
        let lasted = brief(self.lasted);
        let subject = format!("squirrel was blind for {lasted}, and sees again");
        let body = format!(
            "The monitor could not see any site from {} to {} ({lasted}).\n\
             Why: {}\n\
             No site was reported down meanwhile: failed checks count as unknown.\n",
            self.time(self.since),
            self.time(self.until),
            clean(self.why, 300),
        );
        let mut messages = Vec::new();
        for owner in owners {
            for entry in channels_of(settings, owner) {
                let since = self.since.as_micros().to_string();
                let id = message_id(&["sighted", &since, &owner.name, entry.name]);
                let (subject, body) = (subject.clone(), body.clone());
                messages.push(note(id, owner, entry, self.until, "sighted", subject, body));
            }
        }
        messages
    }

    fn time(&self, at: Timestamp) -> String {
        jiff::Timestamp::from_microsecond(at.as_micros())
            .unwrap_or_default()
            .to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S %:z")
            .to_string()
    }
}
