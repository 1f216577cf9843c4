//! The sender's loop: jobs in, messages out, answers in, results out.

mod incoming;
mod reconcile;
mod run;
mod state;

pub(super) use run::{WITHDRAW_TIMEOUT, wait_until_ready};
pub(super) use state::{Producer, ProducerCommand, ProducerConfig, ProducerStatus};
