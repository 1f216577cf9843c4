//! The threads that deliver messages, one a channel.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::history::Message;
use crate::runtime::thread;

use super::delivery_worker::{DeliveryResult, DeliveryWorker};
use super::settings::NotifyPlan;
use super::table::ALL;

/// Hands messages to the channels' threads. Clones hand to the same threads.
#[derive(Clone, Debug)]
pub struct DeliveryQueue {
    /// Unbounded, because whoever decides what is sent keeps to a few deliveries a channel.
    channels: HashMap<&'static str, UnboundedSender<Message>>,
}

impl DeliveryQueue {
    /// Delivers a message by its channel; `false` if there is no such channel.
    #[must_use]
    pub fn send(&self, message: Message) -> bool {
        let channel = self.channels.get(&*message.channel);
        channel.is_some_and(|channel| channel.send(message).is_ok())
    }
}

/// The threads; they begin nothing more when this is closed or dropped.
#[derive(Debug)]
pub struct Deliveries {
    plan: watch::Sender<Arc<NotifyPlan>>,
    /// `None` at the end.
    queue: Option<DeliveryQueue>,
    threads: Vec<JoinHandle<()>>,
}

impl Deliveries {
    /// Starts the threads. `tell` is called on them with what became of each delivery.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        plan: NotifyPlan,
        tell: impl Fn(DeliveryResult) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (plan, planned) = watch::channel(Arc::new(plan));
        let tell: Arc<dyn Fn(DeliveryResult) + Send + Sync> = Arc::new(tell);
        let mut channels = HashMap::new();
        let mut threads = Vec::new();
        for entry in &ALL {
            let (sender, inbox) = unbounded_channel();
            channels.insert(entry.name, sender);
            let worker = DeliveryWorker {
                entry,
                plan: planned.clone(),
                inbox,
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
            plan,
            queue: Some(DeliveryQueue { channels }),
            threads,
        })
    }

    /// The way to the channels; `None` once this is closed.
    #[must_use]
    pub const fn queue(&self) -> Option<&DeliveryQueue> {
        self.queue.as_ref()
    }

    /// Another configuration from now on.
    pub fn configure(&self, plan: NotifyPlan) {
        self.plan.send_if_modified(|known| {
            let new = **known != plan;
            if new {
                *known = Arc::new(plan);
            }
            new
        });
    }

    /// Begins no delivery any more, and waits for those under way as long as `patience`
    /// lasts, so that an orderly end tells nobody twice. What is still under way then is sent
    /// again by the next run, under the same id.
    pub fn close(&mut self, patience: Duration) {
        self.queue = None;
        let until = Instant::now() + patience;
        while self.threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
