//! One monitor per file: an advisory lock on a file beside it, which the system releases when
//! the process ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The most bytes that a lock file of this program has.
const LONGEST_PID: u64 = 16;

/// The lock, held as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock {
    /// Open for the lock on it.
    file: File,
    path: PathBuf,
}

/// Why the lock could not be taken.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process holds it; its number, where that could be read.
    Held(Option<u32>),
    /// The lock file cannot be created, or what has its name is no plain file.
    Io(PathBuf, io::Error),
}

impl Lock {
    /// Takes the lock of `database`, whatever links lead there.
    pub(super) fn take(database: &Path) -> Result<Self, LockError> {
        let path = beside(&canonical(database), ".lock");
        match Self::at(&path) {
            Ok(Ok(lock)) => Ok(lock),
            Ok(Err(holder)) => Err(LockError::Held(holder)),
            Err(error) => Err(LockError::Io(path, error)),
        }
    }

    /// Whether a monitor has had its history at `database` once: its lock file is still there.
    pub(super) fn was_taken(database: &Path) -> bool {
        beside(&canonical(database), ".lock").is_file()
    }

    /// Locks this file, or gives the process that holds it. No link is followed, and only what
    /// this program writes is written over: the file may be somebody else's.
    fn at(path: &Path) -> io::Result<Result<Self, Option<u32>>> {
        // A pipe of that name is not waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed())
            .open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("what has its name is no file"));
        }
        let pid = if metadata.len() <= LONGEST_PID {
            let mut text = String::new();
            let read = (&mut file).take(LONGEST_PID).read_to_string(&mut text);
            read.map(|_| text).ok()
        } else {
            None
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Ok(Err(pid.and_then(|text| text.trim().parse().ok())));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if pid.is_some_and(|text| text.trim().bytes().all(|byte| byte.is_ascii_digit())) {
            // For people and for [`LockError::Held`]; on a full disk the lock holds without it.
            let _unwritten = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| writeln!(file, "{}", std::process::id()));
        }
        let path = path.to_owned();
        Ok(Ok(Self { file, path }))
    }

    /// Whether the locked file still has its name: another process can lock one that is made
    /// in its place.
    pub(super) fn is_in_place(&self) -> bool {
        let (Ok(held), Ok(there)) = (self.file.metadata(), fs::symlink_metadata(&self.path)) else {
            return false;
        };
        (held.dev(), held.ino()) == (there.dev(), there.ino())
    }
}

/// The path of the database itself, whatever links lead there.
fn canonical(database: &Path) -> PathBuf {
    fs::canonicalize(database).unwrap_or_else(|_| database.to_owned())
}

/// The path with `ending` added to the name of the file.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_is_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("history.db");
        let held = Lock::take(&database).unwrap();
        let Err(LockError::Held(holder)) = Lock::take(&database) else {
            panic!("taken twice");
        };
        assert_eq!(holder, Some(std::process::id()));
        // The file goes, the lock stays with it.
        assert!(held.is_in_place());
        fs::remove_file(beside(&database, ".lock")).unwrap();
        assert!(!held.is_in_place());
        let other = Lock::take(&database).unwrap();
        assert!(!held.is_in_place() && other.is_in_place());
        drop(other);
        Lock::take(&database).unwrap();
    }

    #[test]
    fn what_is_not_ours_is_neither_followed_nor_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("history.db");
        let lock = beside(&database, ".lock");
        let other = folder.path().join("other");
        fs::write(&other, "of somebody else").unwrap();
        std::os::unix::fs::symlink(&other, &lock).unwrap();
        assert!(matches!(Lock::take(&database), Err(LockError::Io(..))));
        fs::remove_file(&lock).unwrap();
        fs::rename(&other, &lock).unwrap();
        let held = Lock::take(&database).unwrap();
        assert!(matches!(Lock::take(&database), Err(LockError::Held(None))));
        assert_eq!(fs::read_to_string(&lock).unwrap(), "of somebody else");
        drop(held);
        // By another name it is the same database, and has the same lock.
        fs::write(&database, "").unwrap();
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let _held = Lock::take(&database).unwrap();
        assert!(matches!(Lock::take(&link), Err(LockError::Held(_))));
    }
}
