//! The history: every result, rollups of them, outages, and the messages about them, in one
//! SQLite file that survives any end of the program.
//!
//! ```text
//! results, changes, messages --> channel --> writer: batches --> store --> SQLite (WAL)
//!                   queries --> the same     between two batches: queries, outbox
//!                                            when idle: rollup, retention
//! ```
//!
//! One thread owns the one connection ([`History`] is a handle of it). Senders never wait, and a
//! query sees everything that was sent before it. While the file cannot be written, a database
//! in memory takes its place (`store_file`), and what happened meanwhile is copied back
//! (`memory_fallback`).
//! Reports read the file beside the monitor (`read_only`, `site_totals`). Old rollups of five
//! minutes are packed, one row per site and day (`packed_days`, `packed_codec`).
//!
//! Architecture invariant: the only room that knows SQLite; nothing here knows what a message
//! says or how it is sent.

mod compact;
mod file_identity;
mod growth;
mod handle;
mod handle_error;
mod import;
mod import_error;
mod latency_sketch;
mod lock;
mod maintenance;
mod memory_fallback;
mod message_batching;
mod open;
mod other_monitors;
mod outage_rows;
mod outage_spans;
mod outbox;
mod outbox_state;
mod packed_codec;
mod packed_days;
mod queries;
mod raw_results;
mod read_only;
mod reason_codes;
mod resume;
mod retention;
mod retention_clock;
mod rollup;
mod rows;
mod schema;
mod site_checks;
mod site_totals;
mod span_start;
mod sqlite_tables;
mod store;
mod store_file;
mod summaries;
#[cfg(test)]
mod tests;
mod time_buckets;
mod writer;
mod writer_entry;

pub use compact::{Compacted, OfflineHistory, OfflineHistoryError};
pub use growth::Growth;
pub use handle::History;
pub use handle_error::HistoryError;
pub use import::{HistoryImport, ImportTotals, ImportedCheck, ImportedOutage};
pub use import_error::{MonitorImportError, OtherMonitorError};
pub use latency_sketch::LatencySketch;
pub use open::{HistoryStorage, Refusal};
pub use other_monitors::{OtherMonitor, OtherMonitorFile, SkippedRows};
pub use outbox::OutboxCounts;
pub use queries::{ChartPoint, FileStats, Queries, QueryError};
pub use raw_results::{RawCheck, RawResult};
pub use read_only::{HistoryReadError, ReadOnlyHistory};
pub use rows::{
    Composition, DeliveryState, EndedOutage, HistoryEvent, Message, MessageStatus, OutageRow,
    OutboxUpdate, QueuedMessage, ResultRow, ResumedSite, SiteChange, SiteKey, UnsettledMessage,
    WatchedSites,
};
pub use site_checks::SiteChecks;
pub use site_totals::{OutageTotals, SiteTotals};
pub use sqlite_tables::{TableError, TableRow, is_database, tables};
pub use time_buckets::{BucketSize, EncodedRollup, Rollup};

/// The most results that may wait to be written; further ones are counted and dropped.
pub const MOST_WAITING: usize = 1_000_000;
