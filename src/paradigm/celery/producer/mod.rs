//! The producer: sends jobs as messages, receives states of tasks, delivers results.

mod incoming;
mod reconcile;
mod run;
mod state;

pub(super) use run::{WITHDRAW_TIMEOUT, wait_until_ready};
pub(super) use state::{Producer, ProducerCommand, ProducerConfig, ProducerStatus};
