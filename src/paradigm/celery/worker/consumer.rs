//! The consumer: claims messages from the queue, as many as there are free places.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{RedisError, RedisResult, Value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use crate::domain::Timestamp;

use super::super::{broker, keys, message, timestamps};
use super::execute::TaskExecutor;
use super::state::{WorkerPhase, WorkerState};

/// The most messages that are claimed at once, so that other workers get some.
const MAX_CLAIMED: usize = 16;

/// The timeout of the blocking wait for a message, in seconds.
const BLOCK_SECONDS: u32 = 1;

/// Delays before a broker that cannot be used is tried again.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

struct Consumer {
    state: Arc<WorkerState>,
    commands: ConnectionManager,
    queues: [String; 4],
    rejected: String,
    /// The connection of the blocking wait; `None` until it is made.
    blocking: Option<MultiplexedConnection>,
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
    commands: ConnectionManager,
    executor: TaskExecutor,
) {
    let queue = &state.options.queue;
    let mut consumer = Consumer {
        queues: keys::queues(queue),
        rejected: keys::rejected_messages(queue),
        commands,
        blocking: None,
        pause: MIN_RETRY_DELAY,
        state: Arc::clone(&state),
    };
    loop {
        let place = tokio::select! {
            biased;
            () = state.reached(WorkerPhase::WarmShutdown) => return,
            place = Arc::clone(&state.places).acquire_owned() => place,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { return };
        match consumer.fill(place, &executor).await {
            Ok(0) => tokio::select! {
                biased;
                () = state.reached(WorkerPhase::WarmShutdown) => return,
                () = consumer.wait() => {}
            },
            Ok(_) => {}
            Err(error) => tokio::select! {
                biased;
                () = state.reached(WorkerPhase::WarmShutdown) => return,
                () = consumer.recover(&error) => {}
            },
        }
    }
}

impl Consumer {
    /// Claims messages for `place` and for other free places; returns how many.
    async fn fill(
        &mut self,
        place: OwnedSemaphorePermit,
        executor: &TaskExecutor,
    ) -> RedisResult<usize> {
        let free = 1 + self.state.places.available_permits();
        let claimed = self.claim(free.min(MAX_CLAIMED)).await?;
        self.pause = MIN_RETRY_DELAY;
        let number = claimed.len();
        let mut place = Some(place);
        for message in claimed {
            let place = match place.take() {
                Some(place) => place,
                None => match Arc::clone(&self.state.places).acquire_owned().await {
                    Ok(place) => place,
                    Err(_) => break,
                },
            };
            self.state.holding.send_modify(|holding| *holding += 1);
            let executor = executor.clone();
            tokio::spawn(async move {
                executor.execute(message.tag, message.text).await;
                drop(place);
            });
        }
        Ok(number)
    }

    async fn claim(&mut self, most: usize) -> RedisResult<Vec<ClaimedMessage>> {
        let mut claim = self.state.scripts.claim.key(keys::UNACKED);
        claim.key(keys::UNACKED_INDEX).key(&self.rejected);
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

    /// Waits for a message without claiming it.
    async fn wait(&mut self) {
        if let Err(error) = self.try_wait().await {
            self.recover(&error).await;
        }
    }

    async fn try_wait(&mut self) -> RedisResult<()> {
        let mut connection = match self.blocking.take() {
            Some(connection) => connection,
            None => self.state.broker.blocking_connection().await?,
        };
        let queue = &self.queues[0];
        // From the right end to the right end: the message stays in its place.
        let mut command = redis::cmd("BLMOVE");
        command
            .arg(queue)
            .arg(queue)
            .arg("RIGHT")
            .arg("RIGHT")
            .arg(BLOCK_SECONDS);
        let waited = command.query_async::<Value>(&mut connection);
        // A broker that has vanished does not reply.
        let patience = Duration::from_secs(u64::from(BLOCK_SECONDS)) + broker::RESPONSE_TIMEOUT;
        match tokio::time::timeout(patience, waited).await {
            Ok(answer) => {
                answer?;
                self.blocking = Some(connection);
            }
            Err(_) => tracing::debug!("the broker is silent"),
        }
        Ok(())
    }

    async fn recover(&mut self, error: &RedisError) {
        self.blocking = None;
        if self.pause == MIN_RETRY_DELAY {
            tracing::warn!("{}", self.state.broker.unreachable(error.clone()));
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(MAX_RETRY_DELAY);
    }
}
