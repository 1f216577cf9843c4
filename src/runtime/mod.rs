//! Threads that drive an asynchronous runtime of their own: how they are started, and how
//! they end without anything being waited for.
//!
//! Imports: the standard library and tokio.

pub mod thread;
