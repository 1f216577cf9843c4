//! Carries one task out, whatever it is, and answers it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionManager;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::domain::Timestamp;
use crate::probe::{Kit, Prober, Recipe};

use super::super::message::{Incoming, Poison};
use super::super::task::{self, Received, Report};
use super::super::{keys, meta, stamp};
use super::announce::Announcer;
use super::print::Printer;
use super::state::{Running, State};

/// Probers that are kept: one for each set of certificates that is trusted.
const MOST_PROBERS: usize = 4;

/// The longest a task may ask to be delayed.
const LONGEST_DELAY: Duration = Duration::from_secs(3_600);

/// Bytes of a message that is put aside.
const MOST_OF_A_LETTER: usize = 4_096;

/// Carries tasks out. A clone is the same one.
#[derive(Clone)]
pub(super) struct Carrier {
    state: Arc<State>,
    commands: ConnectionManager,
    announcer: Announcer,
    printer: Arc<Printer>,
    probers: Arc<Mutex<Vec<Trusting>>>,
}

/// A prober, and what it trusts.
type Trusting = (Recipe, Arc<Prober>);

/// What became of a task.
enum Outcome {
    Done(Box<Report>, Box<RawValue>),
    Refused(&'static str, String),
    /// "expired", "revoked" or "terminated".
    Revoked(&'static str),
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

impl Carrier {
    pub(super) fn new(
        state: &Arc<State>,
        commands: ConnectionManager,
        announcer: Announcer,
        printer: Printer,
    ) -> Self {
        Self {
            state: Arc::clone(state),
            commands,
            announcer,
            printer: Arc::new(printer),
            probers: Arc::default(),
        }
    }

    /// Carries out the message `text`, held under `tag`, to its end.
    pub(super) async fn carry(mut self, tag: String, text: Vec<u8>) {
        match Incoming::read(&text) {
            Ok(task) => self.answer(&tag, task).await,
            Err(poison) => self.put_aside(&tag, &text, poison).await,
        }
        self.state.holding.send_modify(|holding| *holding -= 1);
    }

    async fn answer(&mut self, tag: &str, task: Incoming) {
        let began = Instant::now();
        let order = if task.task == task::NAME {
            match &task.arguments {
                Ok(arguments) => Received::read(arguments)
                    .and_then(|order| {
                        let toys = self.state.options.toys;
                        order.permit(toys).map(|()| order).map_err(str::to_owned)
                    })
                    .map_err(|why| ("ValueError", why)),
                Err(why) => Err(("ValueError", (*why).to_owned())),
            }
        } else {
            let name = crate::domain::clean(&task.task, 100);
            Err(("NotRegistered", format!("this worker knows no task {name}")))
        };
        let shown = match &order {
            Ok(order) => crate::domain::clean(order.spec.url.shown(), 200),
            Err(_) => String::new(),
        };
        let terminate = Arc::new(Notify::new());
        let number = self.state.begin(
            &task.id,
            Running {
                tag: tag.to_owned(),
                name: crate::domain::clean(&task.task, 100),
                shown: shown.clone(),
                since: now(),
                terminate: Arc::clone(&terminate),
            },
        );
        self.announcer.task(
            "task-received",
            &task.id,
            json!({
                "name": task.task, "args": format!("('{shown}',)"), "kwargs": "{}",
                "root_id": task.id, "parent_id": null, "retries": task.retries,
                "eta": task.eta.map(stamp::write), "expires": task.expires.map(stamp::write),
            }),
        );
        let outcome = tokio::select! {
            outcome = self.outcome(&task, order) => outcome,
            () = terminate.notified() => Outcome::Revoked("terminated"),
        };
        let done = now();
        let stored = match &outcome {
            Outcome::Done(_, json) => meta::success(json, &task.id, done),
            Outcome::Refused(kind, why) => meta::failure(kind, why, &task.id, done),
            Outcome::Revoked(why) => meta::revoked(why, &task.id, done),
        };
        let first = self.finish(tag, &task.id, &stored).await;
        self.state.end(number);
        self.state
            .processed
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.tell(&task.id, &outcome, began.elapsed());
        self.print(&task.id, &shown, &outcome, first);
    }

    /// Does what the task asks for, if it is still to be done.
    async fn outcome(
        &self,
        task: &Incoming,
        order: Result<Received, (&'static str, String)>,
    ) -> Outcome {
        if let Some(eta) = task.eta {
            let delay = eta.since(self.state.broker_time(now()));
            if delay > LONGEST_DELAY {
                let why = "it is to be delayed by more than an hour".to_owned();
                return Outcome::Refused("ValueError", why);
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
        let order = match order {
            Ok(order) => order,
            Err((kind, why)) => return Outcome::Refused(kind, why),
        };
        let prober = match self.prober(&order.trust) {
            Ok(prober) => prober,
            Err(why) => return Outcome::Refused("ValueError", why),
        };
        self.announcer.task("task-started", &task.id, json!({}));
        if order.traced {
            self.begun(&task.id);
        }
        let report =
            task::carry_out(&prober, &order, Some(&self.state.host), &self.state.lock).await;
        match serde_json::value::to_raw_value(&report) {
            Ok(json) => Outcome::Done(Box::new(report), json),
            Err(error) => Outcome::Refused("ValueError", error.to_string()),
        }
    }

    /// Tells whoever waits for the task, and looks on, who has begun with it. Nothing waits for
    /// this: it is worth nothing any more when there is an answer.
    fn begun(&self, id: &str) {
        let mut who = crate::trace::here();
        who.host = Arc::clone(&self.state.host);
        let mut tell = redis::cmd("PUBLISH");
        tell.arg(meta::key(id))
            .arg(meta::started(&who, &self.state.node, id, now()));
        let mut commands = self.commands.clone();
        tokio::spawn(async move {
            if let Err(error) = tell.exec_async(&mut commands).await {
                tracing::debug!("nobody hears that a task was begun: {error}");
            }
        });
    }

    /// A prober that trusts what the sender trusts. Made once for each sender, or nearly so.
    fn prober(&self, trust: &Recipe) -> Result<Arc<Prober>, String> {
        let mut probers = self.probers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = probers.iter().position(|(recipe, _)| recipe == trust) {
            let found = probers.remove(place);
            let prober = Arc::clone(&found.1);
            probers.push(found);
            return Ok(prober);
        }
        let kit = Kit::by(trust.clone()).map_err(|error| error.to_string())?;
        let prober = Arc::new(kit.prober());
        if probers.len() == MOST_PROBERS {
            probers.remove(0);
        }
        probers.push((trust.clone(), Arc::clone(&prober)));
        Ok(prober)
    }

    /// Stores the result and lets go of the message, however long the broker is away. Gives
    /// whether it was the first.
    async fn finish(&mut self, tag: &str, id: &str, stored: &str) -> bool {
        let mut pause = Duration::from_millis(50);
        loop {
            let finished = self
                .state
                .scripts
                .finish
                .key(keys::UNACKED)
                .key(keys::UNACKED_INDEX)
                .key(meta::key(id))
                .arg(tag)
                .arg(stored)
                .arg(self.state.options.result_expires.as_secs().max(1))
                .invoke_async::<bool>(&mut self.commands)
                .await;
            match finished {
                Ok(first) => return first,
                Err(error) => {
                    tracing::debug!("a result waits for the broker: {error}");
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    /// What is no task is kept where it can be looked at, and gone from the queue.
    async fn put_aside(&mut self, tag: &str, text: &[u8], poison: Poison) {
        tracing::warn!("a message was put aside: {poison}");
        let part = &text[..text.len().min(MOST_OF_A_LETTER)];
        let letter = json!({
            "reason": poison.to_string(),
            "at": stamp::write(now()),
            "length": text.len(),
            "message": String::from_utf8_lossy(part),
        });
        let dead = keys::dead_letters(&self.state.options.queue);
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
            .arg(&dead)
            .arg(letter.to_string())
            .ignore()
            .cmd("LTRIM")
            .arg(&dead)
            .arg(0)
            .arg(keys::DEAD_LETTERS - 1)
            .ignore();
        // If it fails, the message comes again.
        if let Err(error) = batch.exec_async(&mut self.commands).await {
            tracing::debug!("it was not: {error}");
        }
        self.state
            .aside
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn tell(&self, id: &str, outcome: &Outcome, took: Duration) {
        let runtime = took.as_secs_f64();
        match outcome {
            Outcome::Done(report, _) => self.announcer.task(
                "task-succeeded",
                id,
                json!({"result": report.check().verdict.word(), "runtime": runtime}),
            ),
            Outcome::Refused(kind, why) => self.announcer.task(
                "task-failed",
                id,
                json!({"exception": format!("{kind}({why:?})"), "traceback": ""}),
            ),
            Outcome::Revoked(why) => self.announcer.task(
                "task-revoked",
                id,
                json!({
                    "terminated": *why == "terminated", "expired": *why == "expired",
                    "signum": null,
                }),
            ),
        }
    }

    fn print(&self, id: &str, shown: &str, outcome: &Outcome, first: bool) {
        let twin = if first { "" } else { "a twin: dropped" };
        match outcome {
            Outcome::Done(report, _) => self.printer.result(id, shown, report.check(), twin),
            Outcome::Refused(_, why) => self.printer.other(id, shown, "refused", why),
            Outcome::Revoked(why) => self.printer.other(id, shown, "revoked", why),
        }
    }
}
