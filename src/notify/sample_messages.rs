//! Messages as events would have them, of a site that is made up: for a test of a channel, and
//! for templates, which are tried on each.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::{
    Cause, CheckSpec, EventKind, MaskedUrl, Now, OutageEvent, Reason, ServiceEvent, Site,
    Timestamp, message_id,
};
use crate::history::Message;

use super::digest::digest;
use super::message::OutageMessage;
use super::service_messages::{ServiceMessage, test_message};

/// An event, alone or several in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleEvent {
    kind: EventKind,
    several: bool,
}

impl SampleEvent {
    /// Every event, by its word in messages.
    pub fn all() -> impl Iterator<Item = Self> {
        let alone = EventKind::ALL.map(|kind| Self {
            kind,
            several: false,
        });
        let several = [EventKind::Down, EventKind::Recovered];
        let several = several.map(|kind| Self {
            kind,
            several: true,
        });
        alone.into_iter().chain(several)
    }

    /// The event of this word.
    ///
    /// # Errors
    /// One sentence with all words.
    pub fn of_word(word: &str) -> Result<Self, String> {
        let known = Self::all().find(|event| event.to_string() == word);
        known.ok_or_else(|| {
            let words: Vec<String> = Self::all().map(|event| event.to_string()).collect();
            format!("expected one of {}", words.join(", "))
        })
    }

    /// The message that only shows that a channel works.
    pub const TEST: Self = Self {
        kind: EventKind::Test,
        several: false,
    };
}

impl fmt::Display for SampleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.several { "digest_" } else { "" };
        write!(f, "{prefix}{}", self.kind)
    }
}

/// How long the outage of a sample lasts.
const LASTED: Duration = Duration::from_secs(252);

/// The message of `event` to an owner by a channel whose messages have at most `limit` bytes, as
/// an event of `site` would have it, or of a site that is made up.
#[must_use]
pub fn sample_message(
    event: SampleEvent,
    owner: &str,
    channel: &str,
    site: Option<&Site>,
    at: Timestamp,
    limit: usize,
) -> Message {
    let made_up = made_up_site("Example", owner);
    let site = site.unwrap_or(&made_up);
    let zone = TimeZone::system();
    let id = |name: &str| {
        let at = at.as_micros().to_string();
        message_id(["sample", &*event.to_string(), name, owner, channel, &at])
    };
    let since = Timestamp::from_micros(at.as_micros() - 252_000_000);
    let begun = Now {
        wall: since,
        ..Now::default()
    };
    let service = |event: &ServiceEvent, site| {
        let answer = "410: no such hook";
        let message = ServiceMessage {
            event,
            site,
            answer,
        };
        message.message(&id(""), (owner, channel), at, &zone)
    };
    let outage = |occasion: &OutageEvent, site: &Site| {
        let causes = [Cause {
            reason: Reason::Status,
            status: Some(503),
            error: Some("answered 503 Service Unavailable: this is a test".into()),
            checks: 2,
        }];
        let message = OutageMessage {
            site,
            occasion,
            at,
            since,
            causes: &causes,
            last_good: Some(since),
            acknowledged: None,
            last: None,
            zone: &zone,
        };
        message.message(&id(&site.name), (owner, channel))
    };
    let occasion = match event.kind {
        EventKind::Down => OutageEvent::Down,
        EventKind::Recovered => OutageEvent::Recovered { lasted: LASTED },
        EventKind::Reminder => OutageEvent::Reminder {
            lasted: LASTED,
            number: 1,
        },
        EventKind::Escalated => OutageEvent::Escalated {
            lasted: LASTED,
            from: owner.into(),
            quiet_until: None,
        },
        kind => {
            let why: Box<str> = "no canary answers: this is a test".into();
            let lasted = LASTED;
            let since = begun;
            let event = match kind {
                EventKind::Certificate => ServiceEvent::Certificate {
                    not_after: Timestamp::from_micros(at.as_micros() + 14 * 86_400_000_000),
                    days: 14,
                },
                EventKind::Slow => ServiceEvent::Slow { since: since.wall },
                EventKind::Blind => ServiceEvent::Blind { since, why },
                EventKind::Sighted => ServiceEvent::Sighted { since, lasted, why },
                EventKind::Unwatched => ServiceEvent::Unwatched { since, sites: 3 },
                EventKind::Watched => ServiceEvent::Watched { since, lasted },
                EventKind::ChannelFailed => ServiceEvent::ChannelFailed {
                    channel: channel.into(),
                    message: id("lost"),
                },
                _ => return test_message(owner, channel, at),
            };
            return service(&event, kind.is_of_site().then_some(site));
        }
    };
    if !event.several {
        return outage(&occasion, site);
    }
    let others = ["Example 2", "Example 3"].map(|name| made_up_site(name, owner));
    let sites = std::iter::once(site).chain(&others);
    let messages: Vec<Message> = sites.map(|site| outage(&occasion, site)).collect();
    digest(&messages, limit)
}

/// A site that is made up.
pub(super) fn made_up_site(name: &str, owner: &str) -> Site {
    Site {
        name: name.into(),
        spec: Arc::new(CheckSpec::new(MaskedUrl::new("https://example.org/"))),
        interval: Duration::from_secs(300),
        confirm: 2,
        recover: 2,
        confirm_delay: Duration::from_secs(10),
        slow_after: Duration::from_secs(600),
        owners: Arc::from([owner.into()]),
        tags: Vec::new(),
        parent: None,
        paused: false,
    }
}
