//! Whether a file is a history, and whether the files that are open are still those of their names.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::lock::{Lock, beside};
use super::schema::APPLICATION_ID;

/// The database and the files that SQLite has beside it.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// Device and number of the database and of the files beside it: another file under the same
/// name has others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileIdentity([Option<(u64, u64)>; 3]);

impl FileIdentity {
    /// The identity of the files that have these names now.
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

/// What a file that exists is, as far as its first page says (sqlite.org/fileformat.html, section
/// 1.3), and the lock of a monitor beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Nothing yet: no file, an empty one, or one that cannot be read.
    Absent,
    /// A history of this program, whatever has become of it.
    History,
    /// A database without the mark of this program: another program's, or one that is only begun.
    OtherDatabase,
    /// A file that is no database.
    Other,
}

impl FileKind {
    /// Reads the head of the file at `path`.
    pub(super) fn of(path: &Path) -> Self {
        const MAGIC: &[u8] = b"SQLite format 3\0";
        const LENGTH: u64 = 100;
        // What is no plain file is not read: a pipe would be waited for.
        if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            return Self::Absent;
        }
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LENGTH).read_to_end(&mut head));
        if read.is_err() || head.is_empty() {
            return Self::Absent;
        }
        // A crash of the machine may leave zeros.
        let is_lost = head.iter().all(|byte| *byte == 0);
        let is_database = head.starts_with(MAGIC);
        let is_marked = head.get(68..72) == Some(&APPLICATION_ID.to_be_bytes());
        if is_lost || is_database && is_marked || !is_database && Lock::was_taken(path) {
            Self::History
        } else if is_database {
            Self::OtherDatabase
        } else {
            Self::Other
        }
    }
}
