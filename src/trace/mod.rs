//! The record of every check, thread by thread and poll by poll; and the emulated interpreter
//! lock.
//!
//! ```text
//! worker: Recorder::begin -> InstrumentedCheck::watch(check) -> OpenRecord::end
//!                                  |                                |
//!                        InFlightCheck (snapshot)           CheckRecord (ended)
//!                                  +----------> TraceStore <--------+
//!                                                   |
//!                             CheckSummary by start, ThreadTrace by thread
//!                                                   |
//!                             lanes, shares, capacity, Chrome's trace format
//! ```
//!
//! Workers share a [`Recorder`]; the app moves its records into its own [`TraceStore`], which is
//! bounded and from which everything is drawn.

mod capacity;
mod check_record;
mod check_summary;
mod chrome_trace;
mod gil;
mod identity;
mod index;
mod instrumented;
mod lateness;
mod open_span;
mod poll_log;
mod proc_stats;
mod recorder;
mod shard;
mod spans;
mod store;
mod timeline;
mod waker;

pub use capacity::{Capacity, Demand, WorkerResources};
pub use check_record::{CheckRecord, RecordedVerdict};
pub use check_summary::{CheckProgress, CheckSummary};
pub use chrome_trace::write_chrome;
pub use gil::{InterpreterLock, SWITCH_INTERVAL};
pub use identity::here;
pub use index::ThreadTrace;
pub use instrumented::{InFlightCheck, InstrumentedCheck, ThreadSharing};
pub use lateness::{LateReason, Lateness};
pub use poll_log::{PollLog, Slice, SliceKind, Step};
pub use proc_stats::{ProcStats, ThreadUsage};
pub use recorder::{Fetched, OpenRecord, ReceivedCheck, Recorder, ThreadPresence};
pub use spans::{Activity, Span, spans};
pub use store::{MeanTimes, Sweep, TraceStore};
pub use timeline::Bundle;
