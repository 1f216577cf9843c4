//! What a driver begins with, what other threads report to it, and what it tells those who
//! watch.

use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::alert;
use crate::config::Config;
use crate::control::Actor;
use crate::domain::{CheckResult, SiteId};
use crate::engine::{Notice, Round};
use crate::history::{HistoryEvent, HistoryStorage, UnsettledMessage};
use crate::notify::{DeliveryEvent, DeliveryResult};
use crate::paradigm::{ParadigmEntry, Receipt, WorkerLoss};

use super::worker_limits::WorkerLimits;

/// What other threads report. Unbounded, because a report is small and seldom: one for each
/// delivery, round of canaries, and trouble with the history's file.
#[derive(Debug)]
pub enum Report {
    /// About the history's file.
    History(HistoryEvent),
    /// What became of a delivery.
    Delivery(DeliveryResult),
    /// What canaries answered.
    Canaries(Round),
    /// A message that a user wants sent again, and those that it tells of.
    SendAgain(Vec<UnsettledMessage>),
}

/// Something that those who watch are told.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A notice of the engine.
    Notice(Notice),
    /// A switch is complete.
    Switched(Receipt),
    /// A worker was lost and is replaced.
    Lost(WorkerLoss),
    /// A message was delivered, or not.
    Delivery(DeliveryEvent),
    /// About the history's file.
    History(HistoryEvent),
    /// Somebody did something by a command.
    Acted(Box<ActedOn>),
}

/// What somebody did by a command.
#[derive(Clone, Debug, PartialEq)]
pub struct ActedOn {
    /// Who did it.
    pub actor: Actor,
    /// The event: `acknowledged` `unacknowledged` `paused` `resumed` `rechecked` `maintenance`
    /// `maintenance_ended` `switch_asked`.
    pub event: &'static str,
    /// What was done, in a sentence without the actor.
    pub text: Box<str>,
    /// The site that it was done to; `None` where it concerns several, or none.
    pub site: Option<SiteId>,
}

/// What a driver begins with.
#[derive(Debug)]
pub struct DriverOptions<'a> {
    /// The sites and how they are watched.
    pub config: Config,
    /// The configuration whose owners are told of every site, in place of the first one's.
    pub others: Option<&'a Config>,
    /// The first paradigm.
    pub entry: &'static ParadigmEntry,
    /// How many workers each paradigm gets.
    pub workers: WorkerLimits,
    /// Where the history is kept.
    pub history: &'a HistoryStorage,
    /// The time zone of messages and quiet hours.
    pub zone: TimeZone,
}

/// Where a driver hears from other threads.
#[derive(Debug)]
pub struct Inbox {
    /// Checks that ended.
    pub results: UnboundedReceiver<CheckResult>,
    /// What other threads report.
    pub reports: UnboundedReceiver<Report>,
}

/// What the engine is told of a delivery that failed.
pub(super) fn failure_report(failure: &crate::notify::DeliveryFailure) -> alert::DeliveryReport {
    if failure.too_large {
        alert::DeliveryReport::TooLarge
    } else if failure.lasting {
        alert::DeliveryReport::Refused
    } else {
        alert::DeliveryReport::Failed {
            retry_after: failure.retry_after,
        }
    }
}
