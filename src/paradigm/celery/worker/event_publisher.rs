//! Publishes the events of a worker and its tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::RedisResult;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::domain::Timestamp;

use super::super::broker_connection::BrokerConnection;
use super::super::{event, timestamps};
use super::state::WorkerState;

/// The most events that wait to be published; more are dropped.
const MAX_WAITING_EVENTS: usize = 10_000;

/// The most events of one message, and how long it waits for them.
const BATCH_SIZE: usize = 100;
const BATCH_DELAY: Duration = Duration::from_millis(50);

/// The publisher of events. A clone shares its queue.
#[derive(Clone, Debug)]
pub(super) struct EventPublisher {
    state: Arc<WorkerState>,
    events: Sender<Value>,
    /// Whether events of tasks are enabled, by remote control.
    enabled: Arc<AtomicBool>,
    /// Whether the last message had a subscriber.
    has_listeners: Arc<AtomicBool>,
}

impl EventPublisher {
    /// A publisher, and the receiver of its events for [`Self::publish_events`].
    pub(super) fn new(state: &Arc<WorkerState>) -> (Self, Receiver<Value>) {
        let (events, receiver) = channel(MAX_WAITING_EVENTS);
        let publisher = Self {
            state: Arc::clone(state),
            events,
            enabled: Arc::new(AtomicBool::new(true)),
            has_listeners: Arc::new(AtomicBool::new(true)),
        };
        (publisher, receiver)
    }

    pub(super) fn enable(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    /// Queues an event of a task: `task-received`, `task-started` and so on. Does nothing while there
    /// is no subscriber, which is tested again after every heartbeat.
    pub(super) fn task(&self, kind: &str, id: &str, more: Value) {
        if self.enabled.load(Ordering::Relaxed) && self.has_listeners.load(Ordering::Relaxed) {
            let mut event = self.fields(kind);
            event.insert("uuid".to_owned(), id.into());
            if let Value::Object(more) = more {
                event.extend(more);
            }
            // Events may be lost.
            let _dropped = self.events.try_send(Value::Object(event));
        }
    }

    fn fields(&self, kind: &str) -> Map<String, Value> {
        let mut fields = Map::new();
        let now = Timestamp::from(std::time::SystemTime::now());
        for (name, value) in [
            ("hostname", Value::from(&*self.state.node)),
            ("utcoffset", timestamps::hours_west(now).into()),
            ("pid", std::process::id().into()),
            ("clock", self.state.tick().into()),
            ("timestamp", timestamps::seconds(now).into()),
            ("type", kind.into()),
        ] {
            fields.insert(name.to_owned(), value);
        }
        fields
    }

    /// Publishes an event of the worker: `worker-online`, `worker-heartbeat`, `worker-offline`.
    pub(super) async fn worker(
        &self,
        commands: &mut BrokerConnection,
        kind: &str,
    ) -> RedisResult<()> {
        let mut fields = self.fields(kind);
        let state = &self.state;
        let load = rustix::system::sysinfo().loads;
        for (name, value) in [
            ("freq", json!(state.options.heartbeat.as_secs_f64())),
            ("active", state.active().into()),
            ("processed", state.processed.load(Ordering::Relaxed).into()),
            ("loadavg", json!(load.map(|load| load as f64 / 65_536.0))),
            ("sw_ident", "squirrel".into()),
            ("sw_ver", env!("CARGO_PKG_VERSION").into()),
            ("sw_sys", "Linux".into()),
            (
                "concurrency",
                state.concurrency.load(Ordering::Relaxed).into(),
            ),
        ] {
            fields.insert(name.to_owned(), value);
        }
        let key = kind.replacen('-', ".", 1);
        self.publish(commands, &Value::Object(fields), &key).await?;
        self.has_listeners.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Publishes a message; returns the number of subscribers.
    async fn publish(
        &self,
        commands: &mut BrokerConnection,
        body: &Value,
        key: &str,
    ) -> RedisResult<usize> {
        let channel = event::channel(self.state.broker.database(), key);
        redis::cmd("PUBLISH")
            .arg(channel)
            .arg(event::event(body, &self.state.node, key))
            .query_async(commands)
            .await
    }

    /// Publishes the queued events until all publishers are dropped.
    pub(super) async fn publish_events(
        self,
        mut commands: BrokerConnection,
        mut events: Receiver<Value>,
    ) {
        let mut batch = Vec::new();
        while events.recv_many(&mut batch, BATCH_SIZE).await > 0 {
            if batch.len() < BATCH_SIZE {
                sleep(BATCH_DELAY).await;
                while batch.len() < BATCH_SIZE
                    && let Ok(event) = events.try_recv()
                {
                    batch.push(event);
                }
            }
            let body = Value::Array(std::mem::take(&mut batch));
            match self.publish(&mut commands, &body, "task.multi").await {
                Ok(listeners) => self.has_listeners.store(listeners > 0, Ordering::Relaxed),
                Err(error) => tracing::debug!("events are lost: {error}"),
            }
        }
    }

    /// Publishes the heartbeats of the worker.
    pub(super) async fn send_heartbeats(self, mut commands: BrokerConnection) {
        let mut beat = interval(self.state.options.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut online = false;
        loop {
            beat.tick().await;
            let kind = if online {
                "worker-heartbeat"
            } else {
                "worker-online"
            };
            match self.worker(&mut commands, kind).await {
                Ok(()) => online = true,
                Err(error) => {
                    tracing::debug!("a heartbeat is lost: {error}");
                    online = false;
                }
            }
        }
    }
}
