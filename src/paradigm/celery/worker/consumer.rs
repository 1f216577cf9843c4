//! The consumer: claims messages from the queue, as many as there are free places, and as many
//! more as will be free by the time they arrive.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;

use redis::{RedisError, RedisResult, Value};
use tokio::time::{Instant, sleep};

use crate::domain::Timestamp;

use super::super::broker_connection::BrokerConnection;
use super::super::{broker, keys, message, timestamps};
use super::execute::TaskExecutor;
use super::state::{WorkerPhase, WorkerState};

/// The most messages that are claimed at once, so that other workers get some.
const MAX_CLAIMED: usize = 64;

/// The most results for each place that wait to be stored; with more, nothing is claimed.
const UNSTORED_PER_PLACE: usize = 4;

/// The timeout of the blocking wait for a message, in seconds.
const BLOCK_SECONDS: u32 = 1;

/// How long a worker that is blind leaves what is on the queue to others.
const BLIND_PAUSE: Duration = Duration::from_millis(500);

/// A worker that is blind takes a task in turn once it has had none for so long, where others always
/// come first: only by a check does it know that it sees again.
const BLIND_TURN: Duration = Duration::from_secs(5);

/// Delays before a broker that cannot be used is tried again.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// How many messages to claim ahead, after `before`, where `freed` of all `places` became free during
/// the last fetch. It rises at once and falls by halves; one for each place is the most, because a
/// message that waits here does not go to another worker.
fn ahead(before: usize, freed: u64, places: usize) -> usize {
    let freed = usize::try_from(freed).unwrap_or(usize::MAX);
    freed.max(before / 2).min(places)
}

struct Consumer {
    state: Arc<WorkerState>,
    commands: BrokerConnection,
    queues: [String; 4],
    handoff: String,
    rejected: String,
    /// The connection of the blocking wait, and [`Broker::moves`](broker::Broker::moves) when it was
    /// made; `None` until it is.
    blocking: Option<(MultiplexedConnection, u64)>,
    pause: Duration,
}

/// A message that this worker holds.
struct ClaimedMessage {
    tag: String,
    text: Vec<u8>,
}

/// Claims messages until the worker is told to end.
pub(super) async fn consume(
    state: Arc<WorkerState>,
    commands: BrokerConnection,
    executor: TaskExecutor,
) {
    let queue = &state.options.queue;
    let mut consumer = Consumer {
        queues: keys::queues(queue),
        handoff: keys::handoff(queue),
        rejected: keys::rejected_messages(queue),
        commands,
        blocking: None,
        pause: MIN_RETRY_DELAY,
        state: Arc::clone(&state),
    };
    let mut taken = Instant::now();
    loop {
        let room = tokio::select! {
            biased;
            () = state.reached(WorkerPhase::WarmShutdown) => return,
            room = state.room(UNSTORED_PER_PLACE) => room,
        };
        let is_blind = state.checks.connectivity.is_blind();
        let is_last = is_blind && taken.elapsed() < BLIND_TURN;
        if is_last {
            tokio::select! {
                biased;
                () = state.reached(WorkerPhase::WarmShutdown) => return,
                () = sleep(BLIND_PAUSE) => {}
            }
        }
        let room = if is_blind && !is_last { 1 } else { room };
        match consumer.fill(room, &executor).await {
            Ok(0) if is_last => {}
            Ok(0) => tokio::select! {
                biased;
                () = state.reached(WorkerPhase::WarmShutdown) => return,
                () = consumer.wait() => {}
            },
            Ok(_) => taken = Instant::now(),
            Err(error) => tokio::select! {
                biased;
                () = state.reached(WorkerPhase::WarmShutdown) => return,
                () = consumer.recover(&error) => {}
            },
        }
    }
}

impl Consumer {
    /// Claims at most `room` messages and has them executed; returns how many.
    async fn fill(&mut self, room: usize, executor: &TaskExecutor) -> RedisResult<usize> {
        let before = self.state.ended();
        let claimed = self.claim(room.min(MAX_CLAIMED)).await?;
        self.pause = MIN_RETRY_DELAY;
        self.look_ahead(self.state.ended() - before);
        let number = claimed.len();
        for message in claimed {
            self.state.hold();
            let executor = executor.clone();
            tokio::spawn(executor.execute(message.tag, message.text));
        }
        Ok(number)
    }

    /// Chooses how many messages are claimed ahead: as many as places became free while the last
    /// ones were fetched, so that places do not stand empty as long as a fetch takes.
    fn look_ahead(&self, freed: u64) {
        let places = self.state.concurrency.load(Ordering::Relaxed);
        let before = self.state.ahead.load(Ordering::Relaxed);
        let ahead = ahead(before, freed, places);
        self.state.ahead.store(ahead, Ordering::Relaxed);
    }

    async fn claim(&mut self, most: usize) -> RedisResult<Vec<ClaimedMessage>> {
        let mut claim = self.state.scripts.claim.key(keys::UNACKED);
        claim.key(keys::UNACKED_INDEX).key(&self.rejected);
        claim.key(&self.handoff);
        for queue in &self.queues {
            claim.key(queue);
        }
        let values: Vec<Value> = claim
            .arg(most)
            .arg(message::MAX_MESSAGE_BYTES)
            .arg(keys::MAX_REJECTED_MESSAGES)
            .invoke_async(&mut self.commands)
            .await?;
        let mut texts = values.into_iter().filter_map(|value| match value {
            Value::BulkString(text) => Some(text),
            _ => None,
        });
        let now = Timestamp::from(std::time::SystemTime::now());
        let theirs = texts
            .next()
            .and_then(|text| String::from_utf8(text).ok()?.parse().ok())
            .and_then(timestamps::from_seconds);
        if let Some(theirs) = theirs {
            self.state.learn_time(theirs, now);
        }
        let mut claimed = Vec::new();
        while let (Some(tag), Some(text)) = (texts.next(), texts.next()) {
            claimed.push(ClaimedMessage {
                tag: String::from_utf8_lossy(&tag).into_owned(),
                text,
            });
        }
        Ok(claimed)
    }

    /// Waits until the broker hands over a message, which is to be claimed then.
    async fn wait(&mut self) {
        if let Err(error) = self.try_wait().await {
            self.recover(&error).await;
        }
    }

    async fn try_wait(&mut self) -> RedisResult<()> {
        let broker = &self.state.broker;
        let before = self.blocking.take();
        let (mut connection, moves) = match before.filter(|(_, moves)| *moves == broker.moves()) {
            Some(made) => made,
            None => (broker.connect(None).await?, broker.moves()),
        };
        // A message that stayed in its place would go to the next that waits: a stock worker takes
        // it at once, before this one could claim it.
        let mut command = redis::cmd("BLMOVE");
        command
            .arg(&self.queues[0])
            .arg(&self.handoff)
            .arg("RIGHT")
            .arg("LEFT")
            .arg(BLOCK_SECONDS);
        let waited = command.query_async::<Value>(&mut connection);
        // A broker that has vanished does not reply.
        let patience = Duration::from_secs(u64::from(BLOCK_SECONDS)) + broker::RESPONSE_TIMEOUT;
        match tokio::time::timeout(patience, waited).await {
            Ok(answer) => {
                answer?;
                self.blocking = Some((connection, moves));
            }
            Err(_) => tracing::debug!("the broker is silent"),
        }
        Ok(())
    }

    async fn recover(&mut self, error: &RedisError) {
        self.blocking = None;
        let state = &self.state;
        state.report.tell(&state.broker.unreachable(error.clone()));
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(MAX_RETRY_DELAY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_claimed_ahead_as_places_become_free_during_a_fetch() {
        assert_eq!(ahead(0, 0, 16), 0);
        assert_eq!(ahead(0, 5, 16), 5);
        assert_eq!(ahead(5, 0, 16), 2);
        assert_eq!(ahead(1, 0, 16), 0);
        assert_eq!(ahead(0, 900, 16), 16);
        // The pool has shrunk since.
        assert_eq!(ahead(16, 9, 4), 4);
    }
}
