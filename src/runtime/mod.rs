//! Threads that drive an asynchronous runtime of their own: how they are started, and how
//! they end without anything being waited for. And a thread that writes lines, so that their
//! reader is not waited for either.
//!
//! Imports: the standard library, tokio and rustix.

mod line_writer;
pub mod thread;

pub use line_writer::{LineWriter, Weight};
