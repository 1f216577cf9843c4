//! The delivery worker of one channel: takes pending messages from the outbox, delivers some at
//! a time, and stores the outcome. No other channel and no check waits for it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::domain::{Clock, Owner, Timestamp};
use crate::history::{BatchingDelay, History, Message, OutboxUpdate, QueryError, QueuedMessage};

use super::backoff;
use super::channel::{Channel, Failure, OutgoingMessage, Sent};
use super::channel_entry::{ChannelEntry, ChannelError};
use super::digest::digest;
use super::service_messages::{ABOUT_CHANNELS, channel_fails};
use super::settings::NotifyPlan;
use super::table::deliver;

/// The most deliveries of a channel in progress at once.
const MOST_DELIVERIES: usize = 8;

/// The most of these to one owner: an address that never answers does not take every place.
const MOST_PER_OWNER: usize = 2;

/// The most pending messages that are read to find those that can be sent.
const MOST_CANDIDATES: usize = 64;

/// Messages are batched until none has arrived for this part of the longest time to wait.
const QUIET_SHARE: u32 = 10;

/// The margin added to the time at which a batch is due, so that it is due on waking.
const DUE_MARGIN: Duration = Duration::from_millis(1);

/// The longest sleep: the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// The failed attempts after which the owner is told by other channels.
const ATTEMPTS_UNTIL_REPORT: u32 = 3;

/// The outcome of an attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// The server accepted it.
    Delivered {
        /// The message.
        message: Message,
        /// The server's answer.
        answer: Box<str>,
    },
    /// The attempt failed.
    Failed {
        /// The message.
        message: Message,
        /// The server's answer, or what went wrong.
        answer: Box<str>,
        /// Whether the message is given up.
        given_up: bool,
    },
}

pub(super) struct DeliveryWorker {
    pub(super) entry: &'static ChannelEntry,
    pub(super) history: History,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) plan: watch::Receiver<Arc<NotifyPlan>>,
    pub(super) bell: watch::Receiver<()>,
    pub(super) tell: Arc<dyn Fn(DeliveryEvent) + Send + Sync>,
}

/// The channel, or why it cannot be made.
type MakeResult = Result<Arc<dyn Channel>, ChannelError>;

/// A delivery that has ended.
type EndedDelivery = (QueuedMessage, Result<Sent, Failure>);

/// The deliveries in progress.
#[derive(Default)]
struct InFlight {
    deliveries: JoinSet<EndedDelivery>,
    ids: HashSet<Box<str>>,
    owners: HashMap<Box<str>, usize>,
    /// Owners that were told by other channels that this one fails.
    told: HashSet<Box<str>>,
}

impl InFlight {
    /// Owners that have as many deliveries in progress as they may.
    fn busy(&mut self) -> Vec<Box<str>> {
        self.owners.retain(|_, deliveries| *deliveries > 0);
        let busy = self
            .owners
            .iter()
            .filter(|(_, count)| **count >= MOST_PER_OWNER);
        busy.map(|(owner, _)| owner.clone()).collect()
    }
}

impl DeliveryWorker {
    /// Runs until the sender of plans is gone, and then until no delivery is in progress.
    pub(super) async fn run(mut self) {
        let mut in_flight = InFlight::default();
        // Made when there is something to send: its certificates take time and memory.
        let mut channel = None;
        loop {
            let gathered = self.gather().await;
            let busy = in_flight.busy();
            let pending = self.pending(busy).await.unwrap_or_else(|error| {
                tracing::warn!("{}: {error}", self.entry.name);
                Vec::new()
            });
            let (next, hidden) = self.start_due(pending, &mut channel, &mut in_flight);
            if hidden && in_flight.deliveries.len() < MOST_DELIVERIES {
                // Messages that cannot be sent yet hid some that can.
                continue;
            }
            let gathered = gathered.map(|at| at.since(self.clock.timestamp()) + DUE_MARGIN);
            let sleep = next.into_iter().chain(gathered).min();
            let sleep = sleep.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
            tokio::select! {
                changed = self.plan.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.plan.borrow_and_update();
                    channel = None;
                }
                rung = self.bell.changed() => {
                    if rung.is_err() {
                        break;
                    }
                }
                Some(done) = in_flight.deliveries.join_next() => {
                    if let Ok(done) = done {
                        self.settle(done, &mut in_flight);
                    }
                }
                () = tokio::time::sleep(sleep) => {}
            }
        }
        // The caller of `close` bounds the time.
        while let Some(done) = in_flight.deliveries.join_next().await {
            if let Ok(done) = done {
                self.settle(done, &mut in_flight);
            }
        }
    }

    fn make(&self) -> MakeResult {
        let plan = Arc::clone(&self.plan.borrow());
        (self.entry.make)(&plan.settings).map(Arc::from)
    }

    /// Releases the batched messages that have waited long enough; returns when the next ones
    /// are due.
    async fn gather(&self) -> Option<Timestamp> {
        let most = self.plan.borrow().settings.notify.digest;
        let delay = BatchingDelay {
            quiet: most / QUIET_SHARE,
            most,
        };
        let (answer, answered) = oneshot::channel();
        let name = self.entry.name;
        self.history.ask(move |queries| {
            let _gone = answer.send(queries.gather(name, delay, digest));
        });
        let gathered = answered.await.ok()?;
        gathered.unwrap_or_else(|error| {
            tracing::warn!("{name}: {error}");
            None
        })
    }

    async fn pending(&self, except: Vec<Box<str>>) -> Result<Vec<QueuedMessage>, QueryError> {
        let (answer, answered) = oneshot::channel();
        let name = self.entry.name;
        self.history.ask(move |queries| {
            // There is no receiver any more when the program ends.
            let _gone = answer.send(queries.pending(name, &except, MOST_CANDIDATES));
        });
        answered
            .await
            .unwrap_or_else(|_closed| Err(QueryError("it is closed".to_owned())))
    }

    /// Starts the deliveries that are due. Returns the time until the next one is due, and
    /// whether some had to wait for other deliveries to the same owner.
    fn start_due(
        &self,
        pending: Vec<QueuedMessage>,
        channel: &mut Option<MakeResult>,
        in_flight: &mut InFlight,
    ) -> (Option<Duration>, bool) {
        let now = self.clock.timestamp();
        let mut next: Option<Duration> = None;
        let mut hidden = false;
        for queued in pending {
            if in_flight.ids.contains(&queued.message.id) {
                continue;
            }
            if !backoff::is_due(queued.next, now) {
                let wait = queued.next.since(now);
                next = Some(next.map_or(wait, |next| next.min(wait)));
                continue;
            }
            if in_flight.deliveries.len() >= MOST_DELIVERIES {
                break;
            }
            let busy = in_flight
                .owners
                .entry(queued.message.owner.clone())
                .or_default();
            if *busy >= MOST_PER_OWNER {
                hidden = true;
                continue;
            }
            *busy += 1;
            let address = self
                .owner(&queued.message)
                .and_then(|owner| (self.entry.address)(&owner));
            in_flight.ids.insert(queued.message.id.clone());
            let channel = channel.get_or_insert_with(|| self.make()).clone();
            let name = self.entry.name;
            in_flight.deliveries.spawn(async move {
                let result = match (channel, address) {
                    (_, None) => Err(Failure::lasting(&format!(
                        "sites.toml has no {name} for {} any more",
                        queued.message.owner
                    ))),
                    (Err(error), _) => Err(Failure::passing(&error.to_string())),
                    (Ok(channel), Some(to)) => {
                        deliver(&*channel, &message(&queued.message, to)).await
                    }
                };
                (queued, result)
            });
        }
        (next, hidden)
    }

    fn owner(&self, message: &Message) -> Option<Owner> {
        let plan = self.plan.borrow();
        plan.owners
            .iter()
            .find(|owner| owner.name == message.owner)
            .cloned()
    }

    fn settle(&self, (queued, result): EndedDelivery, in_flight: &mut InFlight) {
        let message = queued.message;
        in_flight.ids.remove(&message.id);
        if let Some(busy) = in_flight.owners.get_mut(&message.owner) {
            *busy = busy.saturating_sub(1);
        }
        let now = self.clock.timestamp();
        match result {
            Ok(Sent(answer)) => {
                in_flight.told.remove(&message.owner);
                self.history.update_message(
                    message.id.clone(),
                    OutboxUpdate::Sent,
                    Some(answer.clone()),
                    now,
                );
                (self.tell)(DeliveryEvent::Delivered { message, answer });
            }
            Err(failure) => {
                let attempts = queued.attempts.saturating_add(1);
                let next = backoff::again(message.at, attempts, &failure, now, fastrand::f64());
                let update = next.map_or(OutboxUpdate::Failed, OutboxUpdate::Retry);
                self.history.update_message(
                    message.id.clone(),
                    update,
                    Some(failure.answer.clone()),
                    now,
                );
                let given_up = next.is_none();
                if given_up || attempts >= ATTEMPTS_UNTIL_REPORT {
                    self.report(&message, &failure.answer, in_flight);
                }
                let answer = failure.answer;
                (self.tell)(DeliveryEvent::Failed {
                    message,
                    answer,
                    given_up,
                });
            }
        }
    }

    /// Tells the owner by the other channels that this one fails; once until it works again.
    fn report(&self, message: &Message, answer: &str, in_flight: &mut InFlight) {
        if message.id.starts_with(ABOUT_CHANNELS) || !in_flight.told.insert(message.owner.clone()) {
            return;
        }
        let Some(owner) = self.owner(message) else {
            return;
        };
        let plan = Arc::clone(&self.plan.borrow());
        let now = self.clock.timestamp();
        let messages = channel_fails(&plan.settings, &owner, message, answer, now);
        if !messages.is_empty() {
            self.history.queue_messages(messages);
        }
    }
}

fn message(message: &Message, to: Box<str>) -> OutgoingMessage {
    OutgoingMessage {
        id: message.id.clone(),
        to,
        subject: message.subject.clone(),
        body: message.body.clone(),
        facts: message.facts.clone(),
    }
}
