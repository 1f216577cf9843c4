//! The threads that deliver messages, one for each channel that is in use.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::domain::plain_io_error;
use crate::history::Message;
use crate::runtime::thread;

use super::channel::DeliveryFailure;
use super::channel_entry::ChannelEntry;
use super::delivery_worker::{DeliveryResult, DeliveryWorker};
use super::settings::NotifyPlan;
use super::table::ALL;

/// Hands messages to the channels' threads. Clones hand to the same threads.
#[derive(Clone)]
pub struct DeliveryQueue {
    threads: Arc<ChannelThreads>,
}

impl fmt::Debug for DeliveryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryQueue").finish_non_exhaustive()
    }
}

impl DeliveryQueue {
    /// Delivers a message by its channel; `false` if there is no such channel. Where its thread
    /// cannot be started, the delivery fails and may be tried again.
    #[must_use]
    pub fn send(&self, message: Message) -> bool {
        let entry = ALL.iter().find(|entry| entry.name == &*message.channel);
        let Some(entry) = entry else { return false };
        match self.threads.of(entry) {
            Ok(channel) => channel.send(message).is_ok(),
            Err(error) => {
                let why = plain_io_error(&error);
                let failure = format!("the channel's thread cannot be started: {why}");
                (self.threads.tell)(DeliveryResult {
                    message,
                    result: Err(DeliveryFailure::passing(&failure)),
                });
                true
            }
        }
    }
}

type Tell = Arc<dyn Fn(DeliveryResult) + Send + Sync>;

/// The way to each channel whose thread is started. Unbounded, because whoever decides what is
/// sent keeps to a few deliveries a channel.
type Started = HashMap<&'static str, UnboundedSender<Message>>;

/// The threads of the channels that are in use: of many kinds an owner has one or two, and a
/// thread costs memory and open files.
struct ChannelThreads {
    plan: watch::Receiver<Arc<NotifyPlan>>,
    tell: Tell,
    started: Mutex<Started>,
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl ChannelThreads {
    /// The way to a channel, whose thread is started if it is not yet.
    fn of(&self, entry: &'static ChannelEntry) -> io::Result<UnboundedSender<Message>> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = started.get(entry.name) {
            return Ok(channel.clone());
        }
        let (sender, inbox) = unbounded_channel();
        let worker = DeliveryWorker {
            entry,
            plan: self.plan.clone(),
            inbox,
            tell: Arc::clone(&self.tell),
        };
        let name = format!("send-{}", entry.name);
        let (thread, _) = thread::with_runtime(name, move |runtime| {
            runtime.block_on(worker.run());
            // A resolver that hangs is not waited for.
            runtime.shutdown_background();
        })?;
        started.insert(entry.name, sender.clone());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.push(thread);
        Ok(sender)
    }

    /// Starts the threads of the channels that owners have.
    fn start_used(&self, plan: &NotifyPlan) -> io::Result<()> {
        for entry in &ALL {
            let mut addresses = plan.addresses.values();
            if addresses.any(|known| known.contains_key(entry.name)) {
                self.of(entry)?;
            }
        }
        Ok(())
    }
}

/// The threads; they begin nothing more when this is closed or dropped.
pub struct Deliveries {
    plan: watch::Sender<Arc<NotifyPlan>>,
    /// `None` at the end.
    queue: Option<DeliveryQueue>,
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries").finish_non_exhaustive()
    }
}

impl Deliveries {
    /// Starts the threads of the channels that owners have. `tell` is called on them with what
    /// became of each delivery.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        plan: NotifyPlan,
        tell: impl Fn(DeliveryResult) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (sender, planned) = watch::channel(Arc::new(plan));
        let running = Arc::default();
        let threads = ChannelThreads {
            plan: planned,
            tell: Arc::new(tell),
            started: Mutex::default(),
            running: Arc::clone(&running),
        };
        threads.start_used(&sender.borrow())?;
        Ok(Self {
            plan: sender,
            queue: Some(DeliveryQueue {
                threads: Arc::new(threads),
            }),
            running,
        })
    }

    /// The way to the channels; `None` once this is closed.
    #[must_use]
    pub const fn queue(&self) -> Option<&DeliveryQueue> {
        self.queue.as_ref()
    }

    /// Another configuration from now on. The thread of a channel that is new in it starts with its
    /// first message at the latest.
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
        while self.is_running() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn is_running(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().any(|thread| !thread.is_finished())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OwnerAddresses;
    use crate::notify::settings::ChannelSettings;
    use std::sync::mpsc::channel;

    #[test]
    fn a_channel_that_nobody_has_costs_no_thread_until_a_message_goes_by_it() {
        let plan = NotifyPlan {
            owners: Vec::new(),
            addresses: OwnerAddresses::default(),
            settings: ChannelSettings::default(),
        };
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let mut deliveries = Deliveries::start(plan, move |result| {
            let _unheard = tell.lock().unwrap().send(result);
        })
        .unwrap();
        let running = || deliveries.running.lock().unwrap().len();
        assert_eq!(running(), 0);
        let queue = deliveries.queue().unwrap();
        assert!(!queue.send(Message::lost("1", "ops", "carrier pigeon")));
        for id in ["2", "3"] {
            assert!(queue.send(Message::lost(id, "ops", "webhook")));
        }
        assert_eq!(running(), 1);
        for _ in 0..2 {
            let result = told.recv_timeout(Duration::from_secs(20)).unwrap();
            assert!(result.result.unwrap_err().lasting);
        }
        deliveries.close(Duration::from_secs(20));
        assert!(!deliveries.is_running());
    }
}
