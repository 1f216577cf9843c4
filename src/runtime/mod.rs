//! Threads that drive an asynchronous runtime of their own: how they are started, and how
//! they end without anything being waited for. A thread that writes lines, so that their reader
//! is not waited for either. And the program itself, to be started once more.
//!
//! Imports: the standard library, tokio and rustix.

mod executable;
mod line_writer;
pub mod thread;

pub use executable::own_program;
pub use line_writer::{LineWriter, Weight};
