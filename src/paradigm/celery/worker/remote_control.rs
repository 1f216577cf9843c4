//! Remote control: the commands of `celery inspect` and `celery control`.
//!
//! Source: <https://docs.celeryq.dev/en/stable/userguide/workers.html#remote-control>.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::domain::Timestamp;

use super::super::broker_connection::BrokerConnection;
use super::super::event::{self, ControlCommand};
use super::super::subscriber::{Channels, SubscriptionEvent, subscribe};
use super::super::{task, timestamps};
use super::event_publisher::EventPublisher;
use super::state::{RunningTask, TaskStage, WorkerPhase, WorkerState};

/// The only exchange that replies are sent to.
const REPLIES: &str = "reply.celery.pidbox";

/// How long a reply is kept for its reader, in seconds.
const REPLY_EXPIRY_SECONDS: u32 = 60;

/// The highest concurrency that remote control can set.
const MAX_CONCURRENCY: usize = 100_000;

/// Serves the commands of remote control for as long as the worker runs.
pub(super) async fn serve_commands(
    state: Arc<WorkerState>,
    commands: BrokerConnection,
    publisher: EventPublisher,
) {
    let (events, received) = unbounded_channel();
    let channel = event::control_channel(state.broker.database());
    let channels = Channels {
        named: vec![channel],
        patterns: Vec::new(),
    };
    let subscription = subscribe(state.broker.clone(), channels, events);
    let control = RemoteControl {
        state,
        commands,
        publisher,
    };
    tokio::join!(subscription, control.serve(received));
}

struct RemoteControl {
    state: Arc<WorkerState>,
    commands: BrokerConnection,
    publisher: EventPublisher,
}

impl RemoteControl {
    async fn serve(mut self, mut received: UnboundedReceiver<SubscriptionEvent>) {
        while let Some(event) = received.recv().await {
            let text = match event {
                SubscriptionEvent::Message { text, .. } => text,
                SubscriptionEvent::Subscribed => continue,
                SubscriptionEvent::Failed(error) => {
                    let state = &self.state;
                    state.report.tell(&state.broker.unreachable(error));
                    continue;
                }
            };
            let Some(command) = ControlCommand::read(&text) else {
                tracing::debug!("a command that is none");
                continue;
            };
            self.state.adjust(command.clock);
            let now = Timestamp::from(std::time::SystemTime::now());
            let stale = command
                .expires
                .is_some_and(|expires| timestamps::seconds(self.state.broker_time(now)) > expires);
            if stale || !command.is_for(&self.state.node) {
                continue;
            }
            let answer = self.execute(&command).await;
            if let Some(answer) = answer {
                self.reply(&command, answer).await;
            }
        }
    }

    async fn reply(&mut self, command: &ControlCommand, answer: Value) {
        let Some(to) = command
            .reply_to
            .as_ref()
            .filter(|to| to.exchange == REPLIES)
        else {
            return;
        };
        let ticket = command.ticket.as_deref().unwrap_or_default();
        let text = event::reply(&self.state.node, answer, to, ticket, self.state.tick());
        let queue = to.queue();
        let mut batch = redis::pipe();
        batch
            .cmd("LPUSH")
            .arg(&queue)
            .arg(text)
            .ignore()
            .cmd("EXPIRE")
            .arg(&queue)
            .arg(REPLY_EXPIRY_SECONDS)
            .ignore();
        if let Err(error) = batch.exec_async(&mut self.commands).await {
            tracing::debug!("an answer is lost: {error}");
        }
    }

    /// Executes a command and returns the reply; `None` if it has none.
    async fn execute(&mut self, command: &ControlCommand) -> Option<Value> {
        let state = &self.state;
        let ok = |text: String| Some(json!({"ok": text}));
        match &*command.method {
            "ping" => ok("pong".to_owned()),
            "clock" => Some(json!({"clock": state.tick()})),
            "hello" => self.hello(command),
            "stats" => Some(self.stats()),
            "active" => Some(self.listed(TaskStage::Active)),
            "query_task" => {
                let ids = command.texts("ids");
                let found = state.held_tasks();
                let found = found.iter().filter(|(id, _)| ids.contains(id));
                Some(Value::Object(
                    found
                        .map(|(id, task)| {
                            let stage = match task.stage {
                                TaskStage::Reserved => "reserved",
                                TaskStage::Active | TaskStage::Ended => "active",
                            };
                            (id.clone(), json!([stage, self.info(id, task)]))
                        })
                        .collect(),
                ))
            }
            "reserved" => Some(self.listed(TaskStage::Reserved)),
            "scheduled" => Some(json!([])),
            "revoked" => Some(state.revoked().into()),
            "registered" | "dump_tasks" => Some(json!([task::NAME])),
            "active_queues" => Some(json!([self.queue()])),
            "conf" => Some(json!({
                "broker_url": state.broker.shown(),
                "task_default_queue": state.options.queue,
                "task_acks_late": true,
                "worker_concurrency": state.concurrency.load(Ordering::Relaxed),
                "result_expires": state.options.result_expires.as_secs(),
                "broker_transport_options": {
                    "visibility_timeout": state.options.visibility_timeout.as_secs_f64(),
                },
            })),
            "report" => ok(format!(
                "software -> squirrel:{}\nbroker   -> {}",
                env!("CARGO_PKG_VERSION"),
                state.broker.shown()
            )),
            "revoke" | "terminate" => {
                let ids = command.texts("task_id");
                let asked = command.arguments.get("terminate").and_then(Value::as_bool);
                let terminate = command.method == "terminate" || asked.unwrap_or(false);
                state.revoke(&ids, terminate);
                let word = if terminate { "terminated" } else { "revoked" };
                ok(format!("tasks {} flagged as {word}", ids.join(", ")))
            }
            "enable_events" | "disable_events" => {
                let enabled = command.method == "enable_events";
                self.publisher.enable(enabled);
                let word = if enabled { "enabled" } else { "disabled" };
                ok(format!("task events {word}"))
            }
            "heartbeat" => {
                let beat = self
                    .publisher
                    .worker(&mut self.commands, "worker-heartbeat");
                if let Err(error) = beat.await {
                    tracing::debug!("a heartbeat is lost: {error}");
                }
                None
            }
            "shutdown" => {
                tracing::info!("told to end by remote control");
                state.advance(WorkerPhase::WarmShutdown);
                None
            }
            "pool_grow" | "pool_shrink" => {
                let number = self.resize(command);
                ok(format!("pool will hold {number}"))
            }
            method => {
                let method = crate::domain::clean(method, 60);
                Some(json!({"error": format!("this worker does not know {method}")}))
            }
        }
    }

    fn resize(&self, command: &ControlCommand) -> usize {
        let by = command.arguments.get("n").and_then(Value::as_u64);
        let by = usize::try_from(by.unwrap_or(1)).unwrap_or(usize::MAX);
        let state = &self.state;
        let now = state.concurrency.load(Ordering::Relaxed);
        let then = if command.method == "pool_grow" {
            now.saturating_add(by).min(MAX_CONCURRENCY).max(now)
        } else {
            // Only free places can be given up.
            let free = state.places.forget_permits(by.min(now.saturating_sub(1)));
            now - free
        };
        if then > now {
            state.places.add_permits(then - now);
        }
        state.concurrency.store(then, Ordering::Relaxed);
        // The consumer looks for room again.
        state.occupancy.send_modify(|_| {});
        then
    }

    /// Takes the revoked tasks of a node that has started; the reply is this node's clock.
    fn hello(&self, command: &ControlCommand) -> Option<Value> {
        let from = command.arguments.get("from_node").and_then(Value::as_str);
        if from == Some(&*self.state.node) {
            return None;
        }
        if let Some(Value::Object(revoked)) = command.arguments.get("revoked") {
            let ids: Vec<String> = revoked.keys().take(1_000).cloned().collect();
            self.state.revoke(&ids, false);
        }
        Some(json!({"revoked": {}, "clock": self.state.tick()}))
    }

    fn queue(&self) -> Value {
        let name = &self.state.options.queue;
        // All that `Queue.as_dict` of kombu has: Flower's page of a worker reads each.
        json!({
            "name": name, "routing_key": name, "durable": true, "exclusive": false,
            "auto_delete": false, "no_ack": false, "alias": null, "bindings": [],
            "queue_arguments": null, "binding_arguments": null, "consumer_arguments": null,
            "no_declare": null, "expires": null, "message_ttl": null, "max_length": null,
            "max_length_bytes": null, "max_priority": null,
            "exchange": {
                "name": name, "type": "direct", "durable": true, "auto_delete": false,
                "arguments": null, "passive": false, "delivery_mode": null, "no_declare": false,
            },
        })
    }

    fn listed(&self, stage: TaskStage) -> Value {
        let tasks = self.state.tasks_at(stage);
        tasks.iter().map(|(id, task)| self.info(id, task)).collect()
    }

    fn info(&self, id: &str, running: &RunningTask) -> Value {
        json!({
            "id": id, "name": running.name, "type": running.name,
            "args": [running.shown], "kwargs": {}, "hostname": self.state.node,
            "time_start": timestamps::seconds(running.since), "acknowledged": false,
            "delivery_info": {
                "exchange": "", "routing_key": self.state.options.queue, "priority": 0,
                "redelivered": null,
            },
            "worker_pid": std::process::id(),
        })
    }

    fn stats(&self) -> Value {
        let state = &self.state;
        let concurrency = state.concurrency.load(Ordering::Relaxed);
        json!({
            "total": {task::NAME: state.processed.load(Ordering::Relaxed)},
            "pid": std::process::id(),
            "clock": state.tick().to_string(),
            "uptime": state.began.elapsed().as_secs(),
            "prefetch_count": concurrency,
            "pool": {
                "implementation": "squirrel:tasks on one thread",
                "max-concurrency": concurrency,
                "processes": [std::process::id()],
                "max-tasks-per-child": "N/A",
                "put-guarded-by-semaphore": true,
                "timeouts": [0, 0],
            },
            "broker": {
                "hostname": state.broker.shown(), "transport": "redis",
                "virtual_host": state.broker.database().to_string(),
            },
            "rejected": state.rejected.load(Ordering::Relaxed),
            "rusage": {},
        })
    }
}
