//! Takes messages off the queue, as many as there are free places for.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{RedisError, RedisResult, Value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use crate::domain::Timestamp;

use super::super::{broker, keys, message, stamp};
use super::carry::Carrier;
use super::state::{Phase, State};

/// Messages that are claimed at once; others may have free places too.
const MOST: usize = 16;

/// How long it is waited for a message at a time, in seconds.
const WAIT: u32 = 1;

/// Pauses before a broker that cannot be used is tried again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

struct Claimer {
    state: Arc<State>,
    commands: ConnectionManager,
    queues: [String; 4],
    dead: String,
    /// For waiting alone.
    patient: Option<MultiplexedConnection>,
    pause: Duration,
}

/// One message that this worker holds.
struct Claimed {
    tag: String,
    text: Vec<u8>,
}

/// Claims until the worker is to end.
pub(super) async fn claim(state: Arc<State>, commands: ConnectionManager, carrier: Carrier) {
    let queue = &state.options.queue;
    let mut claimer = Claimer {
        queues: keys::queues(queue),
        dead: keys::dead_letters(queue),
        commands,
        patient: None,
        pause: SHORTEST_PAUSE,
        state: Arc::clone(&state),
    };
    loop {
        let place = tokio::select! {
            biased;
            () = state.reached(Phase::Warm) => return,
            place = Arc::clone(&state.places).acquire_owned() => place,
        };
        // Never closed.
        let Ok(place) = place else { return };
        match claimer.fill(place, &carrier).await {
            Ok(0) => tokio::select! {
                biased;
                () = state.reached(Phase::Warm) => return,
                () = claimer.wait() => {}
            },
            Ok(_) => {}
            Err(error) => tokio::select! {
                biased;
                () = state.reached(Phase::Warm) => return,
                () = claimer.recover(&error) => {}
            },
        }
    }
}

impl Claimer {
    /// Claims what there is for `place` and others that are free; gives how many.
    async fn fill(&mut self, place: OwnedSemaphorePermit, carrier: &Carrier) -> RedisResult<usize> {
        let free = 1 + self.state.places.available_permits();
        let claimed = self.claim(free.min(MOST)).await?;
        self.pause = SHORTEST_PAUSE;
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
            let carrier = carrier.clone();
            tokio::spawn(async move {
                carrier.carry(message.tag, message.text).await;
                drop(place);
            });
        }
        Ok(number)
    }

    async fn claim(&mut self, most: usize) -> RedisResult<Vec<Claimed>> {
        let mut claim = self.state.scripts.claim.key(keys::UNACKED);
        claim.key(keys::UNACKED_INDEX).key(&self.dead);
        for queue in &self.queues {
            claim.key(queue);
        }
        let values: Vec<Value> = claim
            .arg(most)
            .arg(message::MOST_BYTES)
            .arg(keys::DEAD_LETTERS)
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
            .and_then(stamp::from_seconds);
        if let Some(theirs) = theirs {
            self.state.learn_time(theirs, now);
        }
        let mut claimed = Vec::new();
        while let (Some(tag), Some(text)) = (texts.next(), texts.next()) {
            claimed.push(Claimed {
                tag: String::from_utf8_lossy(&tag).into_owned(),
                text,
            });
        }
        Ok(claimed)
    }

    /// Waits for a message, without taking it.
    async fn wait(&mut self) {
        if let Err(error) = self.try_wait().await {
            self.recover(&error).await;
        }
    }

    async fn try_wait(&mut self) -> RedisResult<()> {
        let mut connection = match self.patient.take() {
            Some(connection) => connection,
            None => self.state.broker.patient().await?,
        };
        let queue = &self.queues[0];
        // From the end to the end: it stays where it is.
        let mut command = redis::cmd("BLMOVE");
        command
            .arg(queue)
            .arg(queue)
            .arg("RIGHT")
            .arg("RIGHT")
            .arg(WAIT);
        let waited = command.query_async::<Value>(&mut connection);
        // A broker that has vanished says nothing at all.
        let patience = Duration::from_secs(u64::from(WAIT)) + broker::ANSWER_WITHIN;
        match tokio::time::timeout(patience, waited).await {
            Ok(answer) => {
                answer?;
                self.patient = Some(connection);
            }
            Err(_) => tracing::debug!("the broker is silent"),
        }
        Ok(())
    }

    async fn recover(&mut self, error: &RedisError) {
        self.patient = None;
        if self.pause == SHORTEST_PAUSE {
            tracing::warn!("{}", self.state.broker.unreachable(error));
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}
