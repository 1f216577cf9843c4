//! What the engine asks for.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::{Alerts, Delivery, Pending, Queued, Settled, SiteAlerts};
use crate::domain::{
    Cause, CheckResult, CheckSpec, FailureStreak, JobId, Now, SeenTime, SiteId, Timestamp, Untold,
};

use crate::monitor::SiteState;

use super::connectivity::ConnectivityChange;
use super::input::MonitorAlerts;

/// What the engine asks its driver to do, in this order.
///
/// A million results a second make several each: what is large and rare stands in a box.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand a check to a worker. The driver answers with `Missed` or `Busy` where that is so.
    Dispatch {
        /// The job that the results will name.
        job: JobId,
        /// What to ask, and what to expect.
        spec: Arc<CheckSpec>,
        /// It is not the regular check: one that waits already is as good.
        out_of_turn: bool,
    },
    /// Take back the check of a site that no worker has begun. The driver answers with
    /// `Withdrawn` where there was one.
    Withdraw(SiteId),
    /// Keep something, in one transaction.
    Persist(Record),
    /// Send a message, once all that was persisted before is kept. The driver answers with
    /// `Reported`.
    Deliver(Delivery),
    /// Ask every canary. The driver answers with `Canaries`.
    AskCanaries,
    /// Announce to the screen, or to the reader of `watch`.
    Announce(Notice),
}

/// Something to be kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The sites that are watched from now on: those of the engine.
    Sites,
    /// A result that was believed.
    Result {
        /// The result.
        result: Arc<CheckResult>,
        /// The time of its site since the record before, as far as it was seen.
        time: SeenTime,
    },
    /// A check that was not started in time.
    Missed {
        /// The site whose check was missed.
        site: SiteId,
        /// The time of its site since the record before, as far as it was seen.
        time: SeenTime,
    },
    /// What became of a site, and the messages that tell of it.
    Change {
        /// The site.
        site: SiteId,
        /// Its failures from now on; `None` if it has none.
        streak: Option<Box<FailureStreak>>,
        /// The outage that ended just now.
        ended: Option<Box<Ended>>,
        /// What was told of it.
        alerts: Box<SiteAlerts>,
        /// The messages that come into the outbox by it.
        queued: Vec<Queued>,
    },
    /// What was told of the monitor itself, and the messages that tell of it.
    Monitor {
        /// The alerts about the monitor itself that have been told.
        alerts: MonitorAlerts,
        /// The messages that come into the outbox by it.
        queued: Vec<Queued>,
    },
    /// What became of a delivery, and messages that tell of its channel.
    Settled {
        /// The outcome of the delivery.
        settled: Box<Settled>,
        /// The messages that come into the outbox by it.
        queued: Vec<Queued>,
    },
    /// Messages that nobody needs any more.
    Over(Vec<Box<str>>),
    /// The end of the maintenance that a key began at a site; `None` where it is over.
    Maintenance(SiteId, Option<Timestamp>),
    /// A delivery that is under way, or that failed and is sent again: a new file is to know what it
    /// tells of.
    UnderWay(Delivery),
}

impl Record {
    /// Events that were over before anybody was told, and whatever was to be told by them.
    pub(super) fn over(events: Vec<Pending>) -> Self {
        let events = events.into_iter();
        let ids = events.flat_map(|event| event.merged.into_iter().chain([event.id]));
        Self::Over(ids.collect())
    }

    /// What is known of a site, and the messages that tell of it.
    pub(super) fn change(
        state: &SiteState,
        alerts: &Alerts,
        ended: Option<Ended>,
        queued: Vec<Queued>,
    ) -> Self {
        Self::Change {
            site: state.id(),
            streak: state.failure_streak().map(Box::new),
            ended: ended.map(Box::new),
            alerts: Box::new(alerts.of_site(state.id())),
            queued,
        }
    }
}

/// An outage that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The first failure: its name within its site.
    pub since: Timestamp,
    /// The first good check of the streak that ended it. It may lie before `since`, and need not
    /// lie `lasted` after it: the wall clock may have been set in between.
    pub until: Timestamp,
    /// How long it lasted.
    pub lasted: Duration,
    /// All ways in which it failed.
    pub causes: Vec<Cause>,
    /// Why nobody was told of it; `None` if somebody was.
    pub untold: Option<Untold>,
}

/// An announcement to the screen, or to the reader of `watch`.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A check was believed.
    Checked(Arc<CheckResult>),
    /// An outage was confirmed.
    Down {
        /// The site.
        site: SiteId,
    },
    /// An outage ended.
    Recovered {
        /// The site.
        site: SiteId,
        /// From the first failure to the first good check of the streak that ended it.
        lasted: Duration,
    },
    /// A site that was up, or was not checked before, is slow, or its certificate ends soon.
    Degraded {
        /// The site.
        site: SiteId,
    },
    /// The monitor cannot see any more, or can again.
    Connectivity(ConnectivityChange),
    /// Checks are not run any more.
    Unwatched {
        /// The time at which that began.
        since: Now,
        /// Sites without a result for two intervals.
        sites: usize,
    },
    /// They are run again.
    Watched {
        /// How long they were not.
        lasted: Duration,
    },
    /// The program, or the machine, stood still for so long.
    StoodStill(Duration),
}
