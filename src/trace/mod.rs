//! What every check did, thread by thread, poll by poll; and the emulated interpreter lock.
//!
//! ```text
//! worker: Recorder::begin -> LiveCheck::watch(check) -> Watched::end
//!                                  |                        |
//!                        Glance (in flight)          Record (ended)
//!                                  +----------> Ledger <----+     what is on record
//!                                                 |
//!                                   Check, Part: by start, by thread
//!                                                 |
//!                                   lanes, shares, capacity, Chrome's trace format
//! ```
//!
//! Workers note into a [`Recorder`], which they share; the app moves what they noted into its
//! own [`Ledger`], which is bounded and from which pictures are made.

mod capacity;
mod check;
mod chrome;
mod facts;
mod identity;
mod index;
mod kernel;
mod ledger;
mod live;
mod lock;
mod notes;
mod record;
mod recorder;
mod relay;
mod shard;
mod spans;
mod timeline;
mod under_way;

pub use capacity::{Capacity, Crew, Demand};
pub use check::{Check, Is};
pub use chrome::write_chrome;
pub use facts::{Late, Why};
pub use identity::here;
pub use index::Part;
pub use kernel::{Kernel, Usage};
pub use ledger::{Ledger, Means, Sweep};
pub use live::{Glance, LiveCheck, Thread};
pub use lock::{InterpreterLock, SWITCH_INTERVAL};
pub use notes::{Doing, Notes, Slice, Step};
pub use record::{Found, Record};
pub use recorder::{Fetched, Present, Received, Recorder, Watched};
pub use spans::{Activity, Span, spans};
pub use timeline::Bundle;
