//! The outbox: delivers the pending messages of the history, by one thread per channel.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::domain::Clock;
use crate::history::History;
use crate::runtime::thread;

use super::delivery_worker::{DeliveryEvent, DeliveryWorker};
use super::settings::NotifyPlan;
use super::table::ALL;

/// The threads of the delivery workers; they start no more deliveries after [`OutboxSender::close`] or
/// when this is dropped.
#[derive(Debug)]
pub struct OutboxSender {
    /// `None` after `close`.
    plan: Option<watch::Sender<Arc<NotifyPlan>>>,
    threads: Vec<JoinHandle<()>>,
}

impl OutboxSender {
    /// Starts the threads. `bell` is rung when the outbox has changed; `tell` is called on the
    /// threads with the outcome of each attempt.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        history: &History,
        plan: NotifyPlan,
        clock: &Arc<dyn Clock>,
        bell: &watch::Receiver<()>,
        tell: impl Fn(DeliveryEvent) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (plan, planned) = watch::channel(Arc::new(plan));
        let tell: Arc<dyn Fn(DeliveryEvent) + Send + Sync> = Arc::new(tell);
        let mut threads = Vec::new();
        for entry in &ALL {
            let worker = DeliveryWorker {
                entry,
                history: history.clone(),
                clock: Arc::clone(clock),
                plan: planned.clone(),
                bell: bell.clone(),
                tell: Arc::clone(&tell),
            };
            let name = format!("send-{}", entry.name);
            let (thread, _) = thread::with_runtime(name, move |runtime| {
                runtime.block_on(worker.run());
                // A resolver that hangs is not waited for.
                runtime.shutdown_background();
            })?;
            threads.push(thread);
        }
        Ok(Self {
            plan: Some(plan),
            threads,
        })
    }

    /// Replaces the plan.
    pub fn plan(&self, plan: NotifyPlan) {
        let Some(sender) = &self.plan else { return };
        sender.send_if_modified(|known| {
            let new = **known != plan;
            if new {
                *known = Arc::new(plan);
            }
            new
        });
    }

    /// Starts no more deliveries and waits for those in progress, for at most `patience`: after
    /// an orderly end nothing is sent twice. What is still in progress then is sent again by the
    /// next run, with the same id.
    pub fn close(&mut self, patience: Duration) {
        self.plan = None;
        let until = Instant::now() + patience;
        while self.threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
