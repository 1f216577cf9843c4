//! What owners are told when the monitor can see again: once, and how long it was blind.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{Owner, Timestamp, brief, clean};
use crate::history::Message;

use super::message::message_id;
use super::service_messages::note;
use super::settings::ChannelSettings;
use super::table::channels_of;

/// A stretch of time in which nothing could be seen.
#[derive(Clone, Debug)]
pub struct BlindPeriod<'a> {
    /// From the first failure that was not believed.
    pub since: Timestamp,
    /// Until a canary answered again.
    pub until: Timestamp,
    /// How long that was, on a clock that nobody sets.
    pub lasted: Duration,
    /// What it rested on.
    pub why: &'a str,
    /// Where the readers' clocks are.
    pub zone: &'a TimeZone,
}

impl BlindPeriod<'_> {
    /// The messages of it to these owners, one a channel.
    pub fn messages<'o>(
        &self,
        settings: &ChannelSettings,
        owners: impl IntoIterator<Item = &'o Owner>,
    ) -> Vec<Message> {
        let lasted = brief(self.lasted);
        let subject = format!("squirrel was blind for {lasted}, and sees again");
        let body = format!(
            "The monitor could see nothing from {} to {} ({lasted}).\n\
             Why: {}\n\
             No site was taken for down meanwhile: looks that failed count as unknown.\n",
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
