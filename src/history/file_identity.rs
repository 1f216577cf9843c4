//! Whether the files that are open are still those of their names.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::lock::beside;

/// The database and the files that SQLite has beside it.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// Device and number of the database and of the files beside it: another file under the same
/// name has others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileIdentity([Option<(u64, u64)>; 3]);

impl FileIdentity {
    /// Of what is there now.
    pub(super) fn of(path: &Path) -> Self {
        Self(ENDINGS.map(|ending| {
            let metadata = fs::metadata(beside(path, ending)).ok()?;
            Some((metadata.dev(), metadata.ino()))
        }))
    }

    /// Whether there is a database.
    pub(super) const fn is_there(&self) -> bool {
        self.0[0].is_some()
    }

    /// Whether `now` is the same database.
    pub(super) fn is_same(&self, now: &Self) -> bool {
        self.0[0] == now.0[0]
    }

    /// Whether `now` has the same files beside it as well; SQLite makes them later.
    pub(super) fn is_whole(&self, now: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&now.0);
        self.is_same(now) && pairs.all(|(before, now)| before.is_none() || before == now)
    }
}

/// Removes what a database that is gone has left beside it: SQLite would take it for the next
/// one's.
pub(super) fn remove_leftovers(path: &Path) {
    for ending in ENDINGS.into_iter().filter(|ending| !ending.is_empty()) {
        let _not_there = fs::remove_file(beside(path, ending));
    }
}
