//! One monitor per file: an advisory lock on a file beside it, which the system releases when
//! the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The lock, held as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held for the lock on it")] File);

/// Why the lock could not be taken.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process holds it; its number, where that could be read.
    Held(Option<u32>),
    /// The lock file cannot be created.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock of `database`.
    pub(super) fn take(database: &Path) -> Result<Self, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(beside(database, ".lock"))
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = file.read_to_string(&mut text);
                return Err(LockError::Held(
                    read.ok().and_then(|_| text.trim().parse().ok()),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        // For people and for [`LockError::Held`]; on a full disk the lock holds without it.
        let _unwritten = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
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
        drop(held);
        Lock::take(&database).unwrap();
    }
}
