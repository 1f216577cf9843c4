//! The loop of the producer.

use crate::domain::Clock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::super::broker::Broker;
use super::super::broker_connection::BrokerConnection;
use super::super::broker_error::{BrokerError, is_loading};
use super::super::subscriber::SubscriptionEvent;
use super::incoming::unsent_result;
use super::state::{BATCH_SIZE, Producer, ProducerCommand, RECONCILE_PERIOD, REST_PERIOD};

/// How long the withdrawal of messages may take at the end.
pub(in crate::paradigm::celery) const WITHDRAW_TIMEOUT: Duration = Duration::from_millis(200);

impl Producer {
    /// Runs until the sender of `commands` is dropped.
    pub(in crate::paradigm::celery) async fn run(
        mut self,
        mut commands: UnboundedReceiver<ProducerCommand>,
        mut events: UnboundedReceiver<SubscriptionEvent>,
    ) {
        let mut reconciled = None;
        let (mut said, mut received_events) = (Vec::new(), Vec::new());
        loop {
            let period = if self.is_at_rest() {
                REST_PERIOD
            } else {
                RECONCILE_PERIOD
            };
            let due = reconciled.map_or_else(Instant::now, |at: Instant| at + period);
            tokio::select! {
                number = commands.recv_many(&mut said, 4_096) => {
                    if number == 0 {
                        return self.end().await;
                    }
                    for word in said.drain(..) {
                        match word {
                            ProducerCommand::Job(job) => self.waiting.push(job),
                            ProducerCommand::Limit(most) => self.most = most,
                        }
                    }
                    self.status.unprocessed.fetch_sub(number, Ordering::Relaxed);
                }
                _ = events.recv_many(&mut received_events, 1_024) => {
                    let now = self.clock.now();
                    for one in received_events.drain(..) {
                        self.handle_event(one, now);
                    }
                }
                () = sleep_until(due) => {
                    self.reconcile().await;
                    reconciled = Some(Instant::now());
                }
            }
            self.send().await;
            self.publish_census();
        }
    }

    /// Whether nothing is on its way, and nothing waits for the broker.
    fn is_at_rest(&self) -> bool {
        self.in_flight.len() == 0
            && self.waiting.len() == 0
            && self.resend_first.is_empty()
            && self.failure.is_none()
            && !self.fetch_all
    }

    /// Withdraws the messages that no worker holds, for [`WITHDRAW_TIMEOUT`] at most.
    async fn end(mut self) {
        if self.failure.is_some() || self.figures.local {
            return;
        }
        let texts = self.in_flight.untaken();
        let taken = async {
            for some in texts.chunks(BATCH_SIZE) {
                self.client.withdraw(some).await?;
            }
            redis::RedisResult::Ok(())
        };
        if !matches!(timeout(WITHDRAW_TIMEOUT, taken).await, Ok(Ok(()))) {
            tracing::debug!("some messages stay on the queue until they expire");
        }
    }

    /// Sends waiting jobs up to the limit of checks in flight, once the broker can be used and its clock
    /// is known.
    async fn send(&mut self) {
        let can_send = |producer: &Self| producer.failure.is_none() && producer.client.knows_time();
        while can_send(self) && self.in_flight.len() < self.window() {
            let room = (self.window() - self.in_flight.len()).min(BATCH_SIZE);
            let now = self.clock.now();
            let mut numbers = Vec::new();
            let anew = room.min(self.resend_first.len());
            let resend_first = self.resend_first.drain(..anew);
            let resend_first = resend_first.map(|(job, taken)| (job, Some(taken)));
            let waiting = std::iter::from_fn(|| Some((self.waiting.next()?, None)));
            for (job, taken) in resend_first.chain(waiting).take(room) {
                let number = self.in_flight.issue();
                let (id, tag) = (self.in_flight.id(number), Uuid::new_v4().to_string());
                match self.client.text(&job, &id, &tag, now.wall) {
                    Ok(text) => {
                        let message = (tag, text);
                        self.in_flight
                            .sent(number, job, message, now.mono, self.lifetime);
                        if let Some(taken) = taken {
                            self.in_flight.restore_taken(number, taken);
                        }
                        numbers.push(number);
                    }
                    Err(error) => {
                        let id = taken.map(|(id, _)| id).or_else(|| job.claim());
                        if let Some(id) = id {
                            let result = unsent_result(id, &job, &error.to_string(), now);
                            // The receiver is gone only while the program ends.
                            let _unheard = self.results.send(result);
                        }
                    }
                }
            }
            if numbers.is_empty() {
                return;
            }
            let texts: Vec<&str> = numbers
                .iter()
                .filter_map(|number| Some(&*self.in_flight.get(*number)?.text))
                .collect();
            // If this fails, it is unknown whether they arrived: they are audited.
            let pushed = self.client.push(&texts).await;
            self.note(pushed);
        }
    }
}

/// Waits until a broker that has just been started is ready.
///
/// # Errors
/// If it is not ready `within` this time.
pub(in crate::paradigm::celery) async fn wait_until_ready(
    broker: &Broker,
    within: Duration,
) -> Result<(), BrokerError> {
    let mut commands = BrokerConnection::to(broker);
    let deadline = Instant::now() + within;
    loop {
        match redis::cmd("PING")
            .query_async::<String>(&mut commands)
            .await
        {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() < deadline || is_loading(&error) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => return Err(broker.unreachable(error)),
        }
    }
}
