//! Messages about a site that is up, about the monitor itself, and about a channel.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::domain::{
    EventKind, ServiceEvent, Site, TimeFormat, Timestamp, brief, message_id, plural,
};
use crate::history::Message;

use super::message::{MOST_SUBJECT, safe};

/// A message that is not about an outage.
#[derive(Clone, Copy, Debug)]
pub struct ServiceMessage<'a> {
    /// The event that the message tells of.
    pub event: &'a ServiceEvent,
    /// The site that the event is about; `None` for the monitor itself and its channels.
    pub site: Option<&'a Site>,
    /// What the other side said, where the event is a channel that failed.
    pub answer: &'a str,
}

impl ServiceMessage<'_> {
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
        let (since, until, duration) = self.times(at);
        let stamp = |at: Timestamp| TimeFormat::Rfc3339.of(at, zone);
        let facts = json!({
            "id": id, "event": self.event.kind().word(), "owner": owner, "channel": channel,
            "site": self.site.map(|site| &*site.name),
            "url": self.site.map(|site| site.spec.url.shown()),
            "subject": subject, "since": since.map(stamp), "until": until.map(stamp),
            "duration_s": duration, "at": stamp(at),
        });
        Message {
            id: id.into(),
            owner: owner.into(),
            channel: channel.into(),
            site: self.site.map(|site| site.name.clone()).unwrap_or_default(),
            at,
            subject: subject.into(),
            body: body.into(),
            facts: facts.to_string().into(),
            event: self.event.kind().word().into(),
            batched: true,
            not_before: None,
        }
    }

    /// When the state began, when it ended or will, and the seconds from its beginning to the
    /// event.
    fn times(&self, at: Timestamp) -> (Option<Timestamp>, Option<Timestamp>, Option<f64>) {
        let seconds = |since: Timestamp| Some(at.since(since).as_secs_f64());
        match self.event {
            ServiceEvent::Certificate { not_after, .. } => (None, Some(*not_after), None),
            ServiceEvent::Slow { since } => (Some(*since), None, seconds(*since)),
            ServiceEvent::Blind { since, .. } | ServiceEvent::Unwatched { since, .. } => {
                (Some(since.wall), None, seconds(since.wall))
            }
            ServiceEvent::Sighted { since, lasted, .. }
            | ServiceEvent::Watched { since, lasted } => {
                (Some(since.wall), Some(at), Some(lasted.as_secs_f64()))
            }
            ServiceEvent::ChannelFailed { .. } => (None, None, None),
        }
    }

    fn text(&self, owner: &str, at: Timestamp, zone: &TimeZone) -> (String, String) {
        let time = |at: Timestamp| TimeFormat::Zoned.of(at, zone);
        let site = || safe(self.site.map_or("", |site| &site.name), 75);
        let url = || safe(self.site.map_or("", |site| site.spec.url.shown()), 2_000);
        match self.event {
            ServiceEvent::Certificate { not_after, .. } => {
                let name = site();
                let days = not_after.since(at).as_secs() / 86_400;
                let left = match days {
                    0 => "less than a day".to_owned(),
                    days => plural(days, "day"),
                };
                (
                    format!("CERTIFICATE of {name} ends in {left}"),
                    format!(
                        "The certificate of {name} ends on {}.\nSite: {}\n",
                        time(*not_after),
                        url()
                    ),
                )
            }
            ServiceEvent::Slow { since } => {
                let (name, lasted) = (site(), brief(at.since(*since)));
                let limit = self.site.map_or(Duration::ZERO, |site| site.spec.slow);
                (
                    format!("SLOW for {lasted}: {name}"),
                    format!(
                        "{name} answers, but has taken longer than {} since {}.\nSite: {}\n",
                        brief(limit),
                        time(*since),
                        url()
                    ),
                )
            }
            ServiceEvent::Blind { since, why } => {
                let lasted = brief(at.since(since.wall));
                (
                    format!("squirrel has been blind for {lasted}"),
                    format!(
                        "The monitor has not reached any other machine since {}.\nWhy: {}\n\
                         Checks that fail count as unknown meanwhile: outages are not noticed.\n",
                        time(since.wall),
                        safe(why, 300)
                    ),
                )
            }
            ServiceEvent::Sighted { since, lasted, why } => {
                let lasted = brief(*lasted);
                (
                    format!("squirrel was blind for {lasted}, and sees again"),
                    format!(
                        "The monitor could see nothing from {} to {} ({lasted}).\nWhy: {}\n\
                         No site was taken for down meanwhile: checks that failed count as \
                         unknown.\n",
                        time(since.wall),
                        time(at),
                        safe(why, 300)
                    ),
                )
            }
            ServiceEvent::Unwatched { since, sites } => (
                format!("CHECKS DO NOT RUN: {} not watched", plural(*sites, "site")),
                format!(
                    "No result for two intervals: {}; the first check was missed at {}.\nNo worker runs the checks, or there are too few workers for \
                     the list. Outages are not noticed meanwhile.\n",
                    plural(*sites, "site"),
                    time(since.wall)
                ),
            ),
            ServiceEvent::Watched { since, lasted } => {
                let lasted = brief(*lasted);
                (
                    format!("checks run again, after {lasted}"),
                    format!(
                        "Checks did not run from {} to {} ({lasted}).\n",
                        time(since.wall),
                        time(at)
                    ),
                )
            }
            ServiceEvent::ChannelFailed { channel, message } => {
                let owner = safe(owner, 60);
                (
                    format!("squirrel cannot reach {owner} by {channel}"),
                    format!(
                        "A message to {owner} by {channel} is not taken by the other side.\n\
                         It said: {}\nThe message, {}, is in the outbox.\n",
                        safe(self.answer, 300),
                        safe(message, MOST_SUBJECT)
                    ),
                )
            }
        }
    }
}

/// A message that only shows that a channel works.
#[must_use]
pub(super) fn test_message(owner: &str, channel: &str, at: Timestamp) -> Message {
    let name = safe(owner, 60);
    let subject = format!("Test: squirrel reaches {name} by {channel}");
    let body = format!(
        "This is a test message of UptimeSquirrel for {name}, by {channel}.\nNothing is down.\n"
    );
    let id = message_id(["test", owner, channel, &at.as_micros().to_string()]);
    let facts = json!({
        "id": id, "event": "test", "owner": owner, "channel": channel, "subject": subject,
    });
    Message {
        id,
        owner: owner.into(),
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
