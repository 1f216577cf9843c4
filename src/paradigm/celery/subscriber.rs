//! A subscription to channels of the broker, for results, heartbeats and commands; made again
//! after it breaks.

use std::time::Duration;

use futures_util::StreamExt as _;
use redis::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::broker::Broker;

/// The period of pings, by which a dead connection is noticed.
const PING_PERIOD: Duration = Duration::from_secs(3);

/// The longest delay between two attempts to connect.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// An event of a subscription.
#[derive(Debug)]
pub(super) enum SubscriptionEvent {
    /// The subscription was made; messages before it may have been missed.
    Subscribed,
    /// A message on a channel.
    Message { channel: String, text: Vec<u8> },
}

/// Subscribes to `patterns` until the receiver of `events` is dropped. The channel is unbounded:
/// its messages are bounded by the checks that were sent.
pub(super) async fn subscribe(
    broker: Broker,
    patterns: Vec<String>,
    events: UnboundedSender<SubscriptionEvent>,
) {
    let shortest = Duration::from_millis(50);
    let mut pause = shortest;
    while !events.is_closed() {
        match receive(&broker, &patterns, &events).await {
            Ok(()) => pause = shortest,
            Err(error) => {
                tracing::debug!(
                    "not listening to {broker:?}: {}",
                    super::broker_error::reason(&error)
                );
                pause = (pause * 2).min(MAX_RETRY_DELAY);
            }
        }
        sleep(pause).await;
    }
}

/// Receives until the connection breaks, or the receiver is dropped.
async fn receive(
    broker: &Broker,
    patterns: &[String],
    events: &UnboundedSender<SubscriptionEvent>,
) -> redis::RedisResult<()> {
    let mut pubsub = broker.pubsub().await?;
    for pattern in patterns {
        pubsub.psubscribe(pattern).await?;
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
