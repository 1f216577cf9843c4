//! What is wrong with the broker, told on standard error when it changes.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::error_line;

use super::super::broker::Broker;
use super::super::broker_error::BrokerError;

/// How long nothing may have failed before the broker can be used again: a user who may write but not
/// publish is refused at each heartbeat, and a write in between succeeds.
const QUIET_TIME: Duration = Duration::from_secs(5);

/// What is wrong with the broker, as it was told last.
#[derive(Debug, Default)]
pub(super) struct BrokerReport(Mutex<Option<Trouble>>);

#[derive(Debug)]
struct Trouble {
    topic: String,
    /// When something failed last.
    last: Instant,
}

impl BrokerReport {
    /// Tells why the broker cannot be used, once.
    pub(super) fn tell(&self, error: &BrokerError) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut topic = error.topic();
        if let Some(told) = told.as_ref().filter(|_| error.is_vague()) {
            // What was under way as the known trouble began looks so.
            topic.clone_from(&told.topic);
        }
        if told.as_ref().is_none_or(|told| told.topic != topic) {
            tell(&format!("{error}; trying again"));
        }
        let last = Instant::now();
        *told = Some(Trouble { topic, last });
    }

    /// A write succeeded: tells that the broker can be used again, if it could not.
    pub(super) fn is_over(&self, broker: &Broker) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |told: &mut Trouble| told.last.elapsed() >= QUIET_TIME;
        if told.take_if(over).is_some() {
            tell(&format!(
                "the broker at {} can be used again",
                broker.shown()
            ));
        }
    }

    /// Whether there is trouble, as far as is known.
    pub(super) fn lasts(&self) -> bool {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.is_some()
    }
}

fn tell(text: &str) {
    tracing::warn!("{text}");
    // Nobody may be there to read it.
    let _unread = writeln!(std::io::stderr(), "{}", error_line(text));
}
