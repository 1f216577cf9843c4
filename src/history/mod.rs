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
//! stands in for it, and what happened meanwhile is carried back (`carry`). Whoever reports on
//! the past reads the file beside it (`archive`, `survey`). Summaries of five minutes that are
//! old are packed, a row for each day of a site (`shelf`, `packing`).
//!
//! Architecture invariant: the only room that knows SQLite; nothing here knows what a
//! message says or how it is sent.

mod archive;
mod book;
mod carry;
mod codes;
#[cfg(test)]
mod fixture;
mod foreign;
mod gather;
mod import;
mod keeper;
mod letters;
mod lock;
mod maintenance;
mod open;
mod packing;
mod period;
mod post;
mod raw;
mod records;
mod resume;
mod retention;
mod rollup;
mod schema;
mod shelf;
mod sketch;
mod store;
#[cfg(test)]
mod stories;
mod summaries;
#[cfg(test)]
mod sums;
mod survey;
mod tables;
mod upkeep;
mod writer;

pub use archive::{Archive, ArchiveError};
pub use book::{Book, BookError, FileFacts, Point};
pub use foreign::{Foreign, Kind, LeftOut};
pub use gather::Patience;
pub use import::{Import, Imported, PastOutage, PastRow};
pub use keeper::{History, HistoryError};
pub use open::{Place, Refusal};
pub use period::{Level, Packed, Sum};
pub use post::PostCount;
pub use raw::{RawLook, RawRow};
pub use records::{
    Change, Ended, Letter, LookRow, Mark, News, OutageRow, Posted, Progress, Restored, SiteKey,
    Told, Watched,
};
pub use retention::Keep;
pub use sketch::Sketch;
pub use survey::{Outages, Survey};
pub use tables::{ForeignError, ForeignRow, is_database, tables};
pub use upkeep::{Compacted, Upkeep};

/// Looks that may wait to be written; what comes beyond is counted and dropped.
pub const MOST_WAITING: usize = 1_000_000;
