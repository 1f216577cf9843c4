//! The log file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;

use crate::domain::FileError;

/// A log file that is larger than this at the start, in bytes, is renamed to `squirrel.log.old`.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Sends log lines of `level` and above to `squirrel.log` in `folder`; gives its path.
///
/// # Errors
/// If the folder or the file cannot be made, or a log is set up already.
pub fn to_file(folder: &Path, level: LevelFilter) -> Result<PathBuf, FileError> {
    let path = folder.join("squirrel.log");
    let file = open(folder, &path).map_err(|error| FileError::write(&path, error))?;
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init()
        .map_err(|error| FileError::write(&path, io::Error::other(error)))?;
    Ok(path)
}

fn open(folder: &Path, path: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > MOST_BYTES) {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grew_too_large_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("squirrel.log");
        fs::write(&path, vec![b'x'; MOST_BYTES as usize + 1]).unwrap();
        open(folder.path(), &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert!(folder.path().join("squirrel.log.old").exists());
    }
}
