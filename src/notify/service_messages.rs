//! Messages about a site that is up, about the monitor itself, and about a channel.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::domain::{EventKind, Owner, Site, Timestamp, brief, message_id};
use crate::history::Message;

use super::channel_entry::ChannelEntry;
use super::message::{MOST_SUBJECT, safe};

/// What such a message tells.
#[derive(Clone, Debug)]
pub enum ServiceMessage<'a> {
    /// A certificate ends soon.
    Certificate {
        /// The site that shows it.
        site: &'a Site,
        /// The end of the certificate's validity.
        not_after: Timestamp,
        /// The threshold that was passed, in days.
        days: u32,
    },
    /// A site has been slow for long.
    Slow {
        /// The site that is slow.
        site: &'a Site,
        /// The first slow check of the row.
        since: Timestamp,
    },
    /// The monitor has not been able to see any site for a while.
    Blind {
        /// The first failure that was not believed.
        since: Timestamp,
        /// What that rests on.
        why: &'a str,
    },
    /// It can see again.
    Sighted {
        /// The first failure that was not believed.
        since: Timestamp,
        /// From then until now.
        lasted: Duration,
        /// What it rested on.
        why: &'a str,
    },
    /// Checks are not run any more.
    Unwatched {
        /// When the first of them was missed.
        since: Timestamp,
        /// Sites without a result for two intervals.
        sites: usize,
    },
    /// They are run again.
    Watched {
        /// When the first of them was missed.
        since: Timestamp,
        /// From then until now.
        lasted: Duration,
    },
    /// A channel does not take the owner's messages.
    ChannelFailed {
        /// The channel's name.
        channel: &'a str,
        /// The subject of the message that it did not take.
        subject: &'a str,
        /// What the other side said.
        answer: &'a str,
    },
}

impl ServiceMessage<'_> {
    const fn kind(&self) -> EventKind {
        match self {
            Self::Certificate { .. } => EventKind::Certificate,
            Self::Slow { .. } => EventKind::Slow,
            Self::Blind { .. } => EventKind::Blind,
            Self::Sighted { .. } => EventKind::Sighted,
            Self::Unwatched { .. } => EventKind::Unwatched,
            Self::Watched { .. } => EventKind::Watched,
            Self::ChannelFailed { .. } => EventKind::ChannelFailed,
        }
    }

    const fn site(&self) -> Option<&Site> {
        match self {
            Self::Certificate { site, .. } | Self::Slow { site, .. } => Some(site),
            _ => None,
        }
    }

    /// The message of it, `id`, to an owner by a channel, written at `at`; times in it are of
    /// `zone`.
    #[must_use]
    pub fn message(
        &self,
        id: &str,
        (owner, channel): (&str, &str),
        at: Timestamp,
        zone: &TimeZone,
    ) -> Message {
        let (subject, body) = self.text(owner, at, zone);
        let subject = safe(&subject, MOST_SUBJECT);
        let facts = json!({
            "id": id, "event": self.kind().word(), "owner": owner, "channel": channel,
            "site": self.site().map(|site| &*site.name),
            "url": self.site().map(|site| site.spec.url.shown()),
            "subject": subject, "text": body,
        });
        Message {
            id: id.into(),
            owner: owner.into(),
            channel: channel.into(),
            site: self
                .site()
                .map(|site| site.name.clone())
                .unwrap_or_default(),
            at,
            subject: subject.into(),
            body: body.into(),
            facts: facts.to_string().into(),
            event: self.kind().word().into(),
            batched: true,
            not_before: None,
        }
    }

    fn text(&self, owner: &str, at: Timestamp, zone: &TimeZone) -> (String, String) {
        let time = |at: Timestamp| time(at, zone);
        match self {
            Self::Certificate {
                site, not_after, ..
            } => {
                let name = safe(&site.name, 75);
                let days = not_after.since(at).as_secs() / 86_400;
                let left = match days {
                    0 => "less than a day".to_owned(),
                    1 => "1 day".to_owned(),
                    days => format!("{days} days"),
                };
                (
                    format!("CERTIFICATE of {name} ends in {left}"),
                    format!(
                        "The certificate of {name} ends on {}.\nSite: {}\n",
                        time(*not_after),
                        safe(site.spec.url.shown(), 2_000)
                    ),
                )
            }
            Self::Slow { site, since } => {
                let (name, lasted) = (safe(&site.name, 75), brief(at.since(*since)));
                (
                    format!("SLOW for {lasted}: {name}"),
                    format!(
                        "{name} answers, but has taken longer than {} since {}.\nSite: {}\n",
                        brief(site.spec.slow),
                        time(*since),
                        safe(site.spec.url.shown(), 2_000)
                    ),
                )
            }
            Self::Blind { since, why } => {
                let lasted = brief(at.since(*since));
                (
                    format!("squirrel has been blind for {lasted}"),
                    format!(
                        "The monitor has not reached any other machine since {}.\nWhy: {}\n\
                         Checks that fail count as unknown meanwhile: outages are not noticed.\n",
                        time(*since),
                        safe(why, 300)
                    ),
                )
            }
            Self::Sighted { since, lasted, why } => {
                let lasted = brief(*lasted);
                (
                    format!("squirrel was blind for {lasted}, and sees again"),
                    format!(
                        "The monitor could see nothing from {} to {} ({lasted}).\nWhy: {}\n\
                         No site was taken for down meanwhile: checks that failed count as \
                         unknown.\n",
                        time(*since),
                        time(at),
                        safe(why, 300)
                    ),
                )
            }
            Self::Unwatched { since, sites } => (
                format!("CHECKS DO NOT RUN: {sites} sites are not watched"),
                format!(
                    "{sites} sites have had no result for two intervals; the first check was \
                     missed at {}.\nNo worker runs the checks, or there are too few workers for \
                     the list. Outages are not noticed meanwhile.\n",
                    time(*since)
                ),
            ),
            Self::Watched { since, lasted } => {
                let lasted = brief(*lasted);
                (
                    format!("checks run again, after {lasted}"),
                    format!(
                        "Checks did not run from {} to {} ({lasted}).\n",
                        time(*since),
                        time(at)
                    ),
                )
            }
            Self::ChannelFailed {
                channel,
                subject,
                answer,
            } => {
                let owner = safe(owner, 60);
                (
                    format!("squirrel cannot reach {owner} by {channel}"),
                    format!(
                        "A message to {owner} by {channel} is not taken by the other side.\n\
                         It said: {}\nThe message: {}\n",
                        safe(answer, 300),
                        safe(subject, MOST_SUBJECT)
                    ),
                )
            }
        }
    }
}

/// A message that only shows that a channel works.
#[must_use]
pub fn test_message(owner: &Owner, entry: &ChannelEntry, at: Timestamp) -> Message {
    let (name, channel) = (safe(&owner.name, 60), entry.name);
    let subject = format!("Test: squirrel reaches {name} by {channel}");
    let body = format!(
        "This is a test message of UptimeSquirrel for {name}, by {channel}.\nNothing is down.\n"
    );
    let id = message_id(["test", &*owner.name, channel, &at.as_micros().to_string()]);
    let facts = json!({
        "id": id, "event": "test", "owner": owner.name, "channel": channel,
        "subject": subject, "text": body,
    });
    Message {
        id,
        owner: owner.name.clone(),
        channel: channel.into(),
        site: Box::default(),
        at,
        subject: subject.into(),
        body: body.into(),
        facts: facts.to_string().into(),
        event: EventKind::Test.word().into(),
        batched: false,
        not_before: None,
    }
}

fn time(at: Timestamp, zone: &TimeZone) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .unwrap_or_default()
        .to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}
