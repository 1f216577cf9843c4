//! Who runs what: the identity of the thread that polls a check.

mod identity;

pub use identity::here;
