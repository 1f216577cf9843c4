//! One look at one site: a new connection, a request, a verdict.
//!
//! A [`Kit`] holds what all probers share (one TLS configuration, the resolver's settings);
//! it makes one [`Prober`] for each runtime, because neither a connection nor a resolver
//! may outlive the runtime that drives it. [`Prober::check`] never fails: a site that is
//! down is data, and so is "we could not look".
//!
//! Architecture invariant: the only room, beside `notify`, that knows reqwest.

mod body;
mod certificate;
mod classify;
mod exchange;
mod http;
mod kit;
mod marks;
mod resolve;
mod script;
mod shared;
mod tls;
mod toy;
mod trail;
mod verdict;
pub mod wire;

pub use http::Prober;
pub use kit::{Kit, KitError};
pub use script::{Script, Scripted};
pub use shared::{Recipe, Shared};
pub use toy::{Halt, Toy, Work};
pub use verdict::{Start, could_not_check};
