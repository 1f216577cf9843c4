//! A subscription to channels of the broker, for results, heartbeats and commands; made again
//! after it breaks.

use std::time::Duration;

use futures_util::StreamExt as _;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::broker::Broker;

/// The period of pings, by which a dead connection is noticed, and one to a server that is not used
/// any more.
const PING_PERIOD: Duration = Duration::from_secs(1);

/// The longest delay between two attempts to connect.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The channels of a subscription.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    /// Channels by their exact names.
    pub(super) named: Vec<String>,
    /// Patterns of further channels: the first that the user may subscribe to is taken. To a user who
    /// may not read all channels Redis lets a pattern only that was granted word for word.
    pub(super) patterns: Vec<String>,
}

/// An event of a subscription.
#[derive(Debug)]
pub(super) enum SubscriptionEvent {
    /// The subscription was made; messages before it may have been missed.
    Subscribed,
    /// A message on a channel.
    Message { channel: String, text: Vec<u8> },
    /// It was refused or broke; it is tried again.
    Failed(RedisError),
}

/// Subscribes to `channels` until the receiver of `events` is dropped. The queue of events is
/// unbounded: its messages are bounded by the checks that were sent.
pub(super) async fn subscribe(
    broker: Broker,
    channels: Channels,
    events: UnboundedSender<SubscriptionEvent>,
) {
    let shortest = Duration::from_millis(50);
    let mut pause = shortest;
    while !events.is_closed() {
        match receive(&broker, &channels, &events).await {
            Ok(()) => pause = shortest,
            Err(error) => {
                tracing::debug!(
                    "not listening to {broker:?}: {}",
                    super::broker_cause::BrokerCause::of(&error)
                );
                // The receiver is gone only while this is ending.
                let _unheard = events.send(SubscriptionEvent::Failed(error));
                pause = (pause * 2).min(MAX_RETRY_DELAY);
            }
        }
        sleep(pause).await;
    }
}

/// Receives until the connection breaks, another server is turned to, or the receiver is dropped.
async fn receive(
    broker: &Broker,
    channels: &Channels,
    events: &UnboundedSender<SubscriptionEvent>,
) -> RedisResult<()> {
    let mut pubsub = broker.pubsub().await?;
    let moves = broker.moves();
    for name in &channels.named {
        pubsub.subscribe(name).await?;
    }
    let mut refused = None;
    for pattern in &channels.patterns {
        refused = pubsub.psubscribe(pattern).await.err();
        if refused.as_ref().is_none_or(|error| !is_forbidden(error)) {
            break;
        }
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    let (mut sink, mut stream) = pubsub.split();
    if events.send(SubscriptionEvent::Subscribed).is_err() {
        return Ok(());
    }
    let mut ping = interval(PING_PERIOD);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = stream.next() => {
                let Some(message) = message else { return Ok(()) };
                let received = SubscriptionEvent::Message {
                    channel: message.get_channel_name().to_owned(),
                    text: message.get_payload_bytes().to_vec(),
                };
                if events.send(received).is_err() {
                    return Ok(());
                }
            }
            _ = ping.tick() => {
                if broker.moves() != moves {
                    return Ok(());
                }
                match timeout(super::broker::RESPONSE_TIMEOUT, sink.ping::<Value>()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Err(error),
                    // The other end is gone, and the system has not noticed it yet.
                    Err(_) => return Ok(()),
                }
            }
        }
    }
}

fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}
