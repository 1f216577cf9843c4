//! One channel's thread: delivers the messages that it is handed, some at a time, and says
//! what the other side answered. No other channel and no check ever waits for it.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::history::Message;

use super::channel::{Channel, DeliveryFailure, OutgoingMessage, OwnerAddress, Sent};
use super::channel_entry::{ChannelEntry, ChannelError};
use super::settings::NotifyPlan;
use super::table::deliver;

/// The most deliveries of a channel that are under way at once: a bound on sockets. Who is
/// told when is decided elsewhere, which keeps to fewer.
const AT_ONCE: usize = 64;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryResult {
    /// The message that was sent.
    pub message: Message,
    /// What the other side said, or what went wrong.
    pub result: Result<Sent, DeliveryFailure>,
}

/// What a delivery came to, once it is decided what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// The channel took the message.
    Delivered {
        /// The message that was sent.
        message: Message,
        /// What the other side said.
        answer: Box<str>,
    },
    /// An attempt failed.
    Failed {
        /// The message that was sent.
        message: Message,
        /// What the other side said, or what went wrong.
        answer: Box<str>,
        /// Whether it is given up.
        given_up: bool,
    },
}

pub(super) struct DeliveryWorker {
    pub(super) entry: &'static ChannelEntry,
    pub(super) plan: watch::Receiver<Arc<NotifyPlan>>,
    /// The messages to be delivered; closed at the end.
    pub(super) inbox: UnboundedReceiver<Message>,
    pub(super) tell: Arc<dyn Fn(DeliveryResult) + Send + Sync>,
}

/// A channel, or why there is none.
type MadeChannel = Result<Arc<dyn Channel>, ChannelError>;

impl DeliveryWorker {
    /// Works until nothing more comes, and then until nothing is under way.
    pub(super) async fn run(mut self) {
        let mut under_way: JoinSet<DeliveryResult> = JoinSet::new();
        // Made when there is something to send: certificates take time and memory.
        let mut channel: Option<MadeChannel> = None;
        loop {
            tokio::select! {
                message = self.inbox.recv(), if under_way.len() < AT_ONCE => {
                    let Some(message) = message else { break };
                    if self.plan.has_changed().unwrap_or(false) {
                        self.plan.borrow_and_update();
                        channel = None;
                    }
                    let channel = channel.get_or_insert_with(|| self.make()).clone();
                    under_way.spawn(self.start(message, channel));
                }
                Some(done) = under_way.join_next() => self.settle(done),
            }
        }
        // Those who wait for the end decide for how long.
        while let Some(done) = under_way.join_next().await {
            self.settle(done);
        }
    }

    fn settle(&self, done: Result<DeliveryResult, tokio::task::JoinError>) {
        if let Ok(done) = done {
            (self.tell)(done);
        }
    }

    fn make(&self) -> MadeChannel {
        let plan = Arc::clone(&self.plan.borrow());
        (self.entry.make)(&plan.settings).map(Arc::from)
    }

    fn start(
        &self,
        message: Message,
        channel: MadeChannel,
    ) -> impl Future<Output = DeliveryResult> + Send + use<> {
        let address = self.address(&message);
        let name = self.entry.name;
        async move {
            let result = match (channel, address) {
                (_, None) => Err(DeliveryFailure::lasting(&format!(
                    "sites.toml names no {name} for {} any more",
                    message.owner
                ))),
                (Err(error), _) => Err(DeliveryFailure::passing(&error.to_string())),
                (Ok(channel), Some(to)) => {
                    // A panic of a channel is its own failure, and nobody else's.
                    let outgoing = OutgoingMessage::of(&message, to);
                    let delivery = tokio::spawn(async move { deliver(&*channel, &outgoing).await });
                    delivery.await.unwrap_or_else(|_panic| {
                        Err(DeliveryFailure::passing(
                            "the delivery ended in an error of this program",
                        ))
                    })
                }
            };
            DeliveryResult { message, result }
        }
    }

    fn address(&self, message: &Message) -> Option<OwnerAddress> {
        let plan = self.plan.borrow();
        let addresses = plan.addresses.get(&message.owner)?;
        addresses.get(self.entry.name).cloned()
    }
}
