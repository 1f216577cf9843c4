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
mod engine;
mod event;
mod fleet;
mod keys;
mod lines;
mod listen;
mod local;
mod message;
mod meta;
mod outstanding;
mod producer;
mod script;
mod sender;
mod server;
mod stamp;
mod task;
mod worker;

pub(super) use engine::ENTRY;
pub use lines::work_line_by_line;
pub use server::{BrokerOptions, ServeError, serve_broker};
pub use worker::{Lines, WorkerOptions, work_for_broker};
