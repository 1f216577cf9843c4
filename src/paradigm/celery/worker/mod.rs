//! A Celery worker that speaks as a stock one does, and carries checks out with the one probe:
//! one process, one thread, N checks at a time.
//!
//! It claims a message, carries the check out, stores the result, and only then lets go of
//! the message; while it works it says so, and it gives back what the dead have held.
//! Architecture invariant: whatever a message says, the worker lives on.

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
