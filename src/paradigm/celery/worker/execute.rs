//! Executes one task and stores its result, an error for a task that is refused.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::domain::Timestamp;
use crate::probe::{FactoryConfig, Prober, ProberFactory};

use super::super::broker_connection::BrokerConnection;
use super::super::message::{IncomingTask, PoisonMessage};
use super::super::task::{self, ReceivedArguments, TaskReport};
use super::super::task_error::TaskError;
use super::super::{keys, result_backend, timestamps};
use super::event_publisher::EventPublisher;
use super::lease::give_back;
use super::print::Printer;
use super::state::{RunningTask, TaskStage, WorkerPhase, WorkerState};

/// The most probers that are kept: one for each factory configuration.
const MAX_PROBERS: usize = 4;

/// The longest delay that a task may ask for by its `eta`.
const MAX_ETA_DELAY: Duration = Duration::from_secs(3_600);

/// How long a claimed task waits for a place here before it is returned to the queue, where another
/// worker may have one.
const PLACE_PATIENCE: Duration = Duration::from_secs(1);

/// The bytes that are kept of a rejected message.
const MAX_REJECTED_BYTES: usize = 4_096;

/// The executor of tasks. A clone shares its state.
#[derive(Clone)]
pub(super) struct TaskExecutor {
    state: Arc<WorkerState>,
    commands: BrokerConnection,
    events: EventPublisher,
    printer: Arc<Printer>,
    probers: Arc<Mutex<Vec<CachedProber>>>,
}

/// A prober and its factory configuration.
type CachedProber = (FactoryConfig, Arc<Prober>);

/// The outcome of a task.
enum Outcome {
    Done(Box<TaskReport>, Box<RawValue>),
    Refused(TaskError),
    /// "expired", "revoked" or "terminated".
    Revoked(&'static str),
    /// There was no place for it here: it goes back to the queue.
    NoPlace,
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

impl TaskExecutor {
    pub(super) fn new(
        state: &Arc<WorkerState>,
        commands: BrokerConnection,
        events: EventPublisher,
        printer: Printer,
    ) -> Self {
        Self {
            state: Arc::clone(state),
            commands,
            events,
            printer: Arc::new(printer),
            probers: Arc::default(),
        }
    }

    /// Executes the task in the message `text`, which is held under `tag`, and acknowledges it.
    pub(super) async fn execute(mut self, tag: String, text: Vec<u8>) {
        match IncomingTask::read(&text) {
            Ok(task) => self.run_task(&tag, task).await,
            Err(poison) => {
                self.state.vacate();
                self.reject(&tag, &text, poison).await;
            }
        }
        self.state.release();
    }

    async fn run_task(&mut self, tag: &str, task: IncomingTask) {
        let began = Instant::now();
        let arguments = if task.task == task::NAME {
            match &task.arguments {
                Ok(raw) => ReceivedArguments::read(raw, self.state.checks.key.as_ref()).and_then(
                    |arguments| {
                        let workloads = self.state.options.workloads;
                        arguments.permit(workloads).map(|()| arguments)
                    },
                ),
                Err(why) => Err(TaskError::Refused(why)),
            }
        } else {
            let name = crate::domain::clean(&task.task, 100);
            Err(TaskError::NotRegistered(name))
        };
        let shown = match &arguments {
            Ok(arguments) => crate::domain::clean(arguments.spec.url.shown(), 200),
            Err(_) => String::new(),
        };
        let terminate = Arc::new(Notify::new());
        let number = self.state.begin(
            &task.id,
            RunningTask {
                tag: tag.to_owned(),
                name: crate::domain::clean(&task.task, 100),
                shown: shown.clone(),
                since: now(),
                terminate: Arc::clone(&terminate),
                stage: TaskStage::Reserved,
            },
        );
        self.events.task(
            "task-received",
            &task.id,
            json!({
                "name": task.task, "args": format!("('{shown}',)"), "kwargs": "{}",
                "root_id": task.id, "parent_id": null, "retries": task.retries,
                "eta": task.eta.map(timestamps::write), "expires": task.expires.map(timestamps::write),
            }),
        );
        let outcome = tokio::select! {
            outcome = self.at_a_place(number, &task, arguments) => outcome,
            () = terminate.notified() => Outcome::Revoked("terminated"),
        };
        // The place is free while the result is stored.
        self.state.enter_stage(number, TaskStage::Ended);
        self.state.vacate();
        let done = now();
        let stored = match &outcome {
            Outcome::Done(_, json) => result_backend::success(json, &task.id, done),
            Outcome::Refused(error) => {
                result_backend::failure(error.exception(), &error.to_string(), &task.id, done)
            }
            Outcome::Revoked(why) => result_backend::revoked(why, &task.id, done),
            Outcome::NoPlace => {
                let tags = [tag.to_owned()];
                if let Err(error) = give_back(&self.state, &mut self.commands, &tags).await {
                    // It is restored when its lease is over.
                    tracing::debug!("a task could not be returned to the queue: {error}");
                }
                self.state.end(number);
                return;
            }
        };
        let first = self.finish(tag, &task.id, &stored).await;
        self.state.end(number);
        self.state.processed.fetch_add(1, Ordering::Relaxed);
        self.publish_outcome(&task.id, &outcome, began.elapsed());
        self.print(&task.id, &shown, &outcome, first);
    }

    /// Waits for a place and runs the task there; see [`PLACE_PATIENCE`].
    async fn at_a_place(
        &self,
        number: u64,
        task: &IncomingTask,
        arguments: Result<ReceivedArguments, TaskError>,
    ) -> Outcome {
        let place = tokio::select! {
            biased;
            place = self.state.places.acquire() => place.ok(),
            () = sleep(PLACE_PATIENCE) => None,
            () = self.state.reached(WorkerPhase::WarmShutdown) => None,
        };
        let Some(_place) = place else {
            self.state.ahead.store(0, Ordering::Relaxed);
            return Outcome::NoPlace;
        };
        self.state.enter_stage(number, TaskStage::Active);
        self.outcome(task, arguments).await
    }

    /// Runs the task, unless it was revoked or has expired.
    async fn outcome(
        &self,
        task: &IncomingTask,
        arguments: Result<ReceivedArguments, TaskError>,
    ) -> Outcome {
        if let Some(eta) = task.eta {
            let delay = eta.since(self.state.broker_time(now()));
            if delay > MAX_ETA_DELAY {
                let why = "it is to be delayed by more than an hour";
                return Outcome::Refused(TaskError::Refused(why));
            }
            sleep(delay).await;
        }
        if self.state.is_revoked(&task.id) {
            return Outcome::Revoked("revoked");
        }
        if task
            .expires
            .is_some_and(|expires| self.state.broker_time(now()) > expires)
        {
            return Outcome::Revoked("expired");
        }
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(error) => return Outcome::Refused(error),
        };
        let prober = match self.prober(&arguments.trust) {
            Ok(prober) => prober,
            Err(error) => return Outcome::Refused(error),
        };
        self.events.task("task-started", &task.id, json!({}));
        if arguments.traced {
            self.publish_started(&task.id);
        }
        let report = task::carry_out(&prober, &arguments, &self.state.checks).await;
        match serde_json::value::to_raw_value(&report) {
            Ok(json) => Outcome::Done(Box::new(report), json),
            Err(error) => Outcome::Refused(TaskError::Report(error)),
        }
    }

    /// Publishes the start of the task, for the trace of its producer. Does not wait: it is of no
    /// use after the result.
    fn publish_started(&self, id: &str) {
        let mut who = crate::trace::here();
        who.host = Arc::clone(&self.state.host);
        let mut tell = redis::cmd("PUBLISH");
        tell.arg(result_backend::key(id))
            .arg(result_backend::started(&who, &self.state.node, id, now()));
        let mut commands = self.commands.clone();
        tokio::spawn(async move {
            if let Err(error) = tell.exec_async(&mut commands).await {
                tracing::debug!("the start of a task could not be published: {error}");
            }
        });
    }

    /// The prober for a factory configuration, made at the first task with it.
    fn prober(&self, trust: &FactoryConfig) -> Result<Arc<Prober>, TaskError> {
        let mut probers = self.probers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = probers.iter().position(|(config, _)| config == trust) {
            let found = probers.remove(place);
            let prober = Arc::clone(&found.1);
            probers.push(found);
            return Ok(prober);
        }
        let factory = ProberFactory::from_config(trust.clone()).map_err(TaskError::Prober)?;
        let prober = Arc::new(factory.prober());
        if probers.len() == MAX_PROBERS {
            probers.remove(0);
        }
        probers.push((trust.clone(), Arc::clone(&prober)));
        Ok(prober)
    }

    /// Stores the result and acknowledges the message; tries again until the broker can be used.
    /// Returns whether it was the first result.
    async fn finish(&mut self, tag: &str, id: &str, stored: &str) -> bool {
        let mut pause = Duration::from_millis(50);
        loop {
            let finished = self
                .state
                .scripts
                .finish
                .key(keys::UNACKED)
                .key(keys::UNACKED_INDEX)
                .key(result_backend::key(id))
                .arg(tag)
                .arg(stored)
                .arg(self.state.options.result_expires.as_secs().max(1))
                .invoke_async::<bool>(&mut self.commands)
                .await;
            match finished {
                Ok(first) => return first,
                Err(error) => {
                    let state = &self.state;
                    state.report.tell(&state.broker.unreachable(error));
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    /// Moves a message that is not a task from the queue to the list of rejected messages.
    async fn reject(&mut self, tag: &str, text: &[u8], poison: PoisonMessage) {
        tracing::warn!("a message was put aside: {poison}");
        let part = &text[..text.len().min(MAX_REJECTED_BYTES)];
        let entry = json!({
            "reason": poison.to_string(),
            "at": timestamps::write(now()),
            "length": text.len(),
            "message": String::from_utf8_lossy(part),
        });
        let rejected = keys::rejected_messages(&self.state.options.queue);
        let mut batch = redis::pipe();
        batch
            .atomic()
            .cmd("ZREM")
            .arg(keys::UNACKED_INDEX)
            .arg(tag)
            .ignore()
            .cmd("HDEL")
            .arg(keys::UNACKED)
            .arg(tag)
            .ignore()
            .cmd("LPUSH")
            .arg(&rejected)
            .arg(entry.to_string())
            .ignore()
            .cmd("LTRIM")
            .arg(&rejected)
            .arg(0)
            .arg(keys::MAX_REJECTED_MESSAGES - 1)
            .ignore();
        // If this fails, the message is restored and comes again.
        if let Err(error) = batch.exec_async(&mut self.commands).await {
            tracing::debug!("it was not: {error}");
        }
        self.state.rejected.fetch_add(1, Ordering::Relaxed);
    }

    fn publish_outcome(&self, id: &str, outcome: &Outcome, took: Duration) {
        let runtime = took.as_secs_f64();
        match outcome {
            Outcome::Done(report, _) => self.events.task(
                "task-succeeded",
                id,
                json!({"result": report.check().verdict.word(), "runtime": runtime}),
            ),
            Outcome::Refused(error) => self.events.task(
                "task-failed",
                id,
                json!({"exception": format!("{}({:?})", error.exception(), error.to_string()), "traceback": ""}),
            ),
            Outcome::Revoked(why) => self.events.task(
                "task-revoked",
                id,
                json!({
                    "terminated": *why == "terminated", "expired": *why == "expired",
                    "signum": null,
                }),
            ),
            Outcome::NoPlace => {}
        }
    }

    fn print(&self, id: &str, shown: &str, outcome: &Outcome, first: bool) {
        let twin = if first { "" } else { "a twin: dropped" };
        match outcome {
            Outcome::Done(report, _) => self.printer.result(id, shown, report.check(), twin),
            Outcome::Refused(error) => {
                self.printer.other(id, shown, "refused", &error.to_string());
            }
            Outcome::Revoked(why) => self.printer.other(id, shown, "revoked", why),
            Outcome::NoPlace => {}
        }
    }
}
