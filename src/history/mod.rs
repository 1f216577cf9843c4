//! What was: every look, its summaries, outages, and the messages about them, in one SQLite
//! file that survives the program, however it ends.
//!
//! ```text
//! looks, changes, messages, marks --> channel --> writer: batches --> store --> SQLite (WAL)
//!                     questions --> the same      between two batches: book, post
//!                                                 when there is time: rollup, retention
//! ```
//!
//! One thread holds the one connection. Whoever has something to keep never waits for it,
//! and a question sees all that was said before. While the file cannot be written, memory
//! stands in for it, and what happened meanwhile is carried back (`carry`). Whoever reports on
//! the past reads the file beside it (`archive`, `survey`). Summaries of five minutes that are
//! old are packed, a row for each day of a site (`shelf`, `packing`).
//!
//! Architecture invariant: the only room that knows SQLite; nothing here knows what a
//! message says or how it is sent.

mod compact;
mod handle;
mod import;
mod latency_sketch;
mod lock;
mod maintenance;
mod memory_fallback;
mod message_batching;
mod open;
mod other_monitors;
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
mod rollup;
mod rows;
mod schema;
mod site_totals;
mod sqlite_tables;
mod store;
mod summaries;
#[cfg(test)]
mod tests;
mod time_buckets;
mod writer;

pub use compact::{Compacted, OfflineHistory, OfflineHistoryError};
pub use handle::{History, HistoryError};
pub use import::{HistoryImport, ImportTotals, ImportedCheck, ImportedOutage};
pub use latency_sketch::LatencySketch;
pub use message_batching::BatchingDelay;
pub use open::{HistoryStorage, Refusal};
pub use other_monitors::{
    ImportError, OtherMonitor, OtherMonitorError, OtherMonitorFile, SkippedRows,
};
pub use outbox::OutboxCounts;
pub use queries::{ChartPoint, FileStats, Queries, QueryError};
pub use raw_results::{RawCheck, RawResult};
pub use read_only::{HistoryReadError, ReadOnlyHistory};
pub use retention::Retention;
pub use rows::{
    DeliveryState, EndedOutage, HistoryEvent, Message, MessageStatus, OutageRow, OutboxUpdate,
    QueuedMessage, RestoredSite, ResultRow, SiteChange, SiteKey, WatchedSites,
};
pub use site_totals::{OutageTotals, SiteTotals};
pub use sqlite_tables::{TableError, TableRow, is_database, tables};
pub use time_buckets::{BucketSize, EncodedRollup, Rollup};

/// Looks that may wait to be written; what comes beyond is counted and dropped.
pub const MOST_WAITING: usize = 1_000_000;
