//! The seventh paradigm: checks on a Celery queue in Redis, and whatever it takes to send,
//! carry out and answer them in Celery's own words.
//!
//! ```text
//! engine -> producer -> sender ----- Redis ----- worker (any machine) -> probe
//!              ^          \_ message, script _/      |
//!              +-- listen ----------- Redis ---------+ meta, event
//! ```
//!
//! The guarantee: carried out at least once, counted exactly once. A worker acknowledges a
//! message when its result is stored, so that one that dies loses nothing; the first answer
//! takes a check out of [`outstanding`], so that a second one finds nothing to be counted for.
//!
//! Architecture invariant: the only folder that knows the crate `redis`.

mod broker;
mod broker_client;
mod broker_error;
mod event;
mod in_flight;
mod keys;
mod local_stack;
mod lua_scripts;
mod message;
mod paradigm;
mod producer;
mod redis_server;
mod result_backend;
mod stdio_worker;
mod subscriber;
mod task;
mod task_bounds;
mod task_error;
mod timestamps;
mod worker;
mod worker_registry;

pub use broker_error::BrokerError;
pub(super) use paradigm::ENTRY;
pub use redis_server::{BrokerOptions, ServeError, serve_broker};
pub use stdio_worker::work_line_by_line;
pub use worker::{LineFormat, WorkerOptions, work_for_broker};
