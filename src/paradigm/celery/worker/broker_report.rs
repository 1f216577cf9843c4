//! What is wrong with the broker, told on standard error when it changes.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use super::super::broker::Broker;
use super::super::broker_error::BrokerError;

/// What is wrong with the broker, as it was told last.
#[derive(Debug, Default)]
pub(super) struct BrokerReport(Mutex<Option<String>>);

impl BrokerReport {
    /// Tells why the broker cannot be used, once.
    pub(super) fn tell(&self, error: &BrokerError) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let why = error.to_string();
        if told.as_ref() != Some(&why) {
            tell(&format!("{why}; trying again"));
            *told = Some(why);
        }
    }

    /// Tells that the broker can be used again, if it could not.
    pub(super) fn is_over(&self, broker: &Broker) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if told.is_some() {
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
    let _unread = writeln!(std::io::stderr(), "squirrel: {text}");
}
