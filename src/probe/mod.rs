//! One check of one site: a new connection, a request, a verdict.
//!
//! A [`ProberFactory`] holds what all probers share (one TLS configuration, what the system's files
//! say about names); it makes one [`Prober`] for each runtime. [`Prober::check`] never fails: a
//! site that is down is a result, and so is a check that could not be carried out.
//!
//! There is one way to a server for every check kind: `names` resolves, `path` connects and
//! shakes hands, all of it in the check's own future and nothing in a task or thread of its own.
//! A check kind stands on it: `http` speaks HTTP/1.1 and HTTP/2.

mod canaries;
mod certificate;
mod certificate_fault;
mod certificate_rules;
mod classify;
mod factory;
mod fake;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod kinds;
mod names;
mod other_tls;
mod own_fault;
mod path;
mod phase_timings;
mod prober;
mod request_log;
mod shared;
mod thread_wait;
mod timer;
mod tls;
mod verdict;
pub mod wire;
mod workload;

pub use canaries::{CanaryResult, ask_canaries, canary_spec};
pub use factory::{FactoryError, ProberFactory};
pub use fake::{FakeOutcome, FakeProbe};
pub use prober::Prober;
pub use shared::{FactoryConfig, Shared};
pub use thread_wait::{block_on, block_on_and};
pub use verdict::{Start, could_not_check};
pub use workload::{Halt, WorkKind, WorkloadSpec};
