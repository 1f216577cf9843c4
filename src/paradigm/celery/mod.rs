//! The paradigm `celery`: checks on a Celery queue in Redis. Producer and worker speak Celery's
//! protocol.
//!
//! ```text
//! paradigm -> producer -> broker_client ---- Redis ---- worker (any machine) -> probe
//!                ^            \_ message, lua_scripts _/     |
//!                +-- subscriber ------------ Redis ---------+ result_backend, event
//! ```
//!
//! The guarantee: a check is run at least once and counted exactly once. A worker acknowledges a
//! message when its result is stored, so that a worker that dies loses nothing; the first result
//! removes a check from [`in_flight`], so that a second one is not counted.
//!
//! Architecture invariant: no other folder uses the crate `redis`.

mod broker;
mod broker_cause;
mod broker_certificates;
mod broker_client;
mod broker_connection;
mod broker_error;
mod broker_greeting;
mod broker_health;
mod broker_refusal;
mod connectivity;
mod event;
pub(super) mod fuzzing;
mod in_flight;
mod keys;
mod local_stack;
mod lua_scripts;
mod message;
mod paradigm;
mod producer;
mod redis_server;
mod result_backend;
mod sealed_options;
mod stdio_worker;
mod subscriber;
mod task;
mod task_bounds;
mod task_error;
mod task_options;
mod timestamps;
mod worker;
mod worker_registry;

pub use broker_error::BrokerError;
pub(super) use paradigm::ENTRY;
pub use redis_server::{BrokerOptions, PreparedServer, ServeError};
pub use stdio_worker::work_line_by_line;
pub use worker::{LineFormat, WorkerOptions, work_for_broker};
