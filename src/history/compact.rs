//! Work on a file that no monitor has open: results are rolled up, old rows deleted, and free
//! pages given back at once.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{Moment, Retention, Timestamp};

use super::lock::{Lock, beside};
use super::open::{self, Fault, Refusal, plain};
use super::retention;
use super::retention_clock::RetentionClock;
use super::rollup::Roller;
use super::store::Store;

/// How long another program's lock on the file is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the file cannot be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfflineHistoryError {
    /// A monitor has it open; its process, where that is known.
    InUse(PathBuf, Option<u32>),
    /// It is of a newer version, or of another program.
    Refused(Refusal),
    /// It is no sound database.
    Damaged(PathBuf),
    /// It cannot be opened: a sentence that begins with the path.
    Unusable(String),
    /// SQLite cannot read or write it: why, in plain words.
    Sqlite(PathBuf, String),
}

impl fmt::Display for OfflineHistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path, holder) => {
                write!(f, "{}: a monitor keeps its history here", path.display())?;
                if let Some(holder) = holder {
                    write!(f, " (process {holder})")?;
                }
                f.write_str("; end it first")
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Damaged(path) => {
                write!(f, "{}: damaged", path.display())
            }
            Self::Unusable(why) => f.write_str(why),
            Self::Sqlite(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for OfflineHistoryError {}

/// The history, open for such work; holds the lock that keeps monitors away.
#[derive(Debug)]
pub struct OfflineHistory {
    pub(super) store: Store,
    pub(super) path: PathBuf,
    pub(super) now: Timestamp,
    _lock: Option<Lock>,
}

/// The size of the file before and after, in bytes, the write-ahead log included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The size before, in bytes.
    pub before: u64,
    /// The size after, in bytes.
    pub after: u64,
}

impl OfflineHistory {
    /// Opens the file at `path`, or creates it.
    ///
    /// # Errors
    /// If a monitor has it open, if it is no history of this version, or if it cannot be opened.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, OfflineHistoryError> {
        let mut lock = None;
        let store = open::open(path, &mut lock, PATIENCE).map_err(|fault| match fault {
            Fault::Refused(Refusal::InUse { path, holder }) => {
                OfflineHistoryError::InUse(path, holder)
            }
            Fault::Refused(refusal) => OfflineHistoryError::Refused(refusal),
            Fault::Damaged => OfflineHistoryError::Damaged(path.to_owned()),
            Fault::Unusable(why) => OfflineHistoryError::Unusable(why),
        })?;
        Ok(Self {
            store,
            path: path.to_owned(),
            now,
            _lock: lock,
        })
    }

    pub(super) fn seconds(&self) -> i64 {
        self.now.as_micros().div_euclid(1_000_000)
    }

    pub(super) fn plain_error<T>(
        &self,
        answer: rusqlite::Result<T>,
    ) -> Result<T, OfflineHistoryError> {
        answer.map_err(|error| OfflineHistoryError::Sqlite(self.path.clone(), plain(&error)))
    }

    fn size(&self) -> u64 {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        size(&self.path) + size(&beside(&self.path, "-wal"))
    }

    /// Does at once what a monitor does in small steps: rolls up what is due, deletes what is
    /// older than `keep` allows, counted from when a monitor wrote it last, and rewrites the file without free pages.
    ///
    /// # Errors
    /// If the file cannot be written, or the disk has no space for the copy that this takes.
    pub fn compact(mut self, keep: &Retention) -> Result<Compacted, OfflineHistoryError> {
        let before = self.size();
        let now = self.seconds();
        let done = (|| {
            let mut roller = Roller::default();
            while roller.step(&mut self.store, now)? {}
            let clock = RetentionClock::open(&self.store.connection, now, Moment::ZERO)?;
            let retained = clock.now(now, Moment::ZERO);
            while retention::step(&self.store, keep, retained)? {}
            let connection = &self.store.connection;
            connection.execute_batch("VACUUM")?;
            // The pragma returns a row.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })();
        self.plain_error(done)?;
        let after = self.size();
        Ok(Compacted { before, after })
    }
}
