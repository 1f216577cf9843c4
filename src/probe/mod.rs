//! One check of one site: a new connection, a request, a verdict.
//!
//! A [`ProberFactory`] holds what all probers share (one TLS configuration, the resolver's settings);
//! it makes one [`Prober`] for each runtime, because neither a connection nor a resolver
//! may outlive the runtime that drives it. [`Prober::check`] never fails: a site that is
//! down is a result, and so is a check that could not be carried out.
//!
//! Architecture invariant: the only room, beside `notify`, that knows reqwest.

mod body;
mod canaries;
mod certificate;
mod classify;
mod exchange;
mod factory;
mod fake;
#[doc(hidden)]
pub mod fuzzing;
mod phase_timings;
mod prober;
mod request_log;
mod resolve;
mod shared;
mod tls;
mod verdict;
pub mod wire;
mod workload;

pub use canaries::{CanaryAnswer, ask_canaries, canary_spec};
pub use factory::{FactoryError, ProberFactory};
pub use fake::{FakeOutcome, FakeProbe};
pub use prober::Prober;
pub use shared::{FactoryConfig, Shared};
pub use verdict::{Start, could_not_check};
pub use workload::{Halt, WorkKind, WorkloadSpec};
