//! A Celery worker that speaks the protocol of a stock one and runs checks by this program's
//! probe: one process, one thread, N checks at a time.
//!
//! It claims a message, runs the check, stores the result, and only then acknowledges the message.
//! In between it renews the lease, and it restores the messages of lost workers.
//!
//! Architecture invariant: no message ends the worker.

mod broker_report;
mod broker_watch;
mod consumer;
mod event_publisher;
mod execute;
mod lease;
mod options;
mod print;
mod remote_control;
mod run;
mod state;

pub use options::{LineFormat, WorkerOptions};
pub use run::work_for_broker;
