//! Real servers with real faults, on loopback, in the process of the test.
//!
//! A [`Fleet`] plays scenarios, each with servers of its own; all end when it is dropped.

mod count;
mod fleet;
mod http2;
mod listen;
mod play;
mod post;
mod smtp;

pub(crate) use count::Count;
pub(crate) use fleet::{Fleet, Server};
pub(crate) use post::{Answer, PostServer, Posted};
pub(crate) use smtp::{MailServer, Mood, Privacy};
