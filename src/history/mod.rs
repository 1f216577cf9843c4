//! What was: every look, its summaries, outages, and the letters about them, in one SQLite
//! file that survives the program, however it ends.
//!
//! ```text
//! looks, changes, letters, marks --> channel --> writer: batches --> store --> SQLite (WAL)
//!                     questions --> the same      between two batches: book, post
//!                                                 when there is time: rollup, retention
//! ```
//!
//! One thread holds the one connection. Whoever has something to keep never waits for it,
//! and a question sees all that was said before. While the file cannot be written, memory
//! stands in for it, and what happened meanwhile is carried back (`carry`).
//!
//! Architecture invariant: the only room that knows SQLite; nothing here knows what a
//! message says or how it is sent.

mod book;
mod carry;
mod codes;
mod foreign;
mod keeper;
mod letters;
mod lock;
mod open;
mod period;
mod post;
mod records;
mod retention;
mod rollup;
mod schema;
mod sketch;
mod store;
#[cfg(test)]
mod stories;
mod writer;

pub use book::{Book, BookError, FileFacts, Point};
pub use foreign::{ForeignError, ForeignRow, is_database, tables};
pub use keeper::{History, HistoryError};
pub use open::{Place, Refusal};
pub use period::{Level, Sum};
pub use post::PostCount;
pub use records::{
    Change, Ended, Letter, LookRow, Mark, News, OutageRow, Posted, Progress, Restored, SiteKey,
    Told, Watched,
};
pub use retention::Keep;
pub use sketch::Sketch;

/// Looks that may wait to be written; what comes beyond is counted and dropped.
pub const MOST_WAITING: usize = 1_000_000;
