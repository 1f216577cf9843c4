//! An event that waits for one owner on one channel, the message that tells of it, and what
//! the channel said.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{AlertEvent, EventKind, Moment, Now, SiteId, Timestamp};

/// One event for one owner on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Identifies event, owner and channel; the same whenever the same event is queued.
    pub id: Box<str>,
    /// The kind of event that the message tells of.
    pub kind: EventKind,
    /// The event, with what was known only when it happened.
    pub event: Arc<AlertEvent>,
    /// The site it is about; `None` for events of the monitor itself.
    pub site: Option<SiteId>,
    /// The first failure of the outage it is about.
    pub outage: Option<Timestamp>,
    /// The time of the event.
    pub at: Now,
    /// The end of the owner's quiet hours, where the event happened within them.
    pub quiet_until: Option<Timestamp>,
    /// Whether it waits for others like it, to be told in one message.
    pub collects: bool,
    /// Ids of earlier events that this one tells of as well.
    pub merged: Vec<Box<str>>,
    /// Whether it was handed to the channel before, or may have been by an earlier run: that
    /// message may have arrived.
    pub tried: bool,
    /// Where it tells of the beginning of its outage as well: what became of that message.
    pub beginning: Option<BeginningMessage>,
}

/// What became of the message that an outage began, which is part of another one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginningMessage {
    /// It was never handed to the channel.
    NeverSent,
    /// It was, or may have been, and the channel did not say that it took it.
    MayHaveArrived,
}

/// What is known of an event when it is about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// What the event says is still so.
    Holds,
    /// The newest check says otherwise, and nothing is decided yet: it waits.
    InDoubt,
    /// The newest check is old: the site is checked first.
    Stale,
    /// It is over, and nobody needs to know: it is dropped.
    Over,
}

/// One message to be sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The same for the same events, however often they are sent.
    pub id: Box<str>,
    /// The key of the owner in `[owners]`.
    pub owner: Box<str>,
    /// The name of the channel.
    pub channel: Box<str>,
    /// The events, in their order; several make a digest.
    pub events: Arc<[Pending]>,
    /// Failed attempts of the queue before this one, of this message or an earlier one.
    pub attempts: u32,
    /// The channel refused the whole text for its size: the short form goes.
    pub short: bool,
}

/// What a channel said of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryReport {
    /// It took the message.
    Delivered,
    /// It did not, and may later; it asked to be left alone for so long.
    Failed {
        /// The pause that the other side asked for.
        retry_after: Option<Duration>,
    },
    /// It would refuse the same message again.
    Refused,
    /// The message is too large for it.
    TooLarge,
}

/// What follows from a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// These events were told.
    Told(Delivery),
    /// They are tried again then.
    Retry(Delivery, Timestamp),
    /// The delivery failed for good: its events are given up.
    GivenUp(Delivery),
}

/// How long events wait for others like them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// At most so long after the first of them; zero: each event is told alone.
    pub longest: Duration,
}

impl Collection {
    /// If no other event came for this part of the longest wait, the collection ends.
    const GAP_SHARE: u32 = 10;

    /// The window after an event that happened `age` ago; `known` is the one that it falls into.
    pub(super) fn window(self, known: Option<Window>, age: Duration, now: Moment) -> Window {
        let after = |wait: Duration| now + wait.saturating_sub(age);
        let latest = known.map_or(after(self.longest), |known| known.latest);
        let after_gap = after(self.longest / Self::GAP_SHARE);
        let ends = known.map_or(after_gap, |known| known.ends.max(after_gap));
        Window {
            latest,
            ends: ends.min(latest),
        }
    }
}

/// A time in which events wait for others like them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// However many more come.
    latest: Moment,
    /// The time at which the collection ends if no further event comes.
    pub(super) ends: Moment,
}
