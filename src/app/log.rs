//! The log file, and the one before it: it is renamed when it has grown too large.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;

use crate::domain::FileError;

use super::output_file::{private, private_folder};

/// The size in bytes from which on a log is renamed to `squirrel.log.old`. Both together are
/// twice as much.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Sends log lines of `level` and above to `squirrel.log` in `folder`; gives its path.
///
/// # Errors
/// If the folder or the file cannot be made, or a log is set up already.
pub fn to_file(folder: &Path, level: LevelFilter) -> Result<PathBuf, FileError> {
    private_folder(folder).map_err(|error| FileError::make_folder(folder, error))?;
    let path = folder.join("squirrel.log");
    let log = Log::open(&path).map_err(|error| FileError::write(&path, error))?;
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        // A full disk is not told on the screen that the monitor draws.
        .log_internal_errors(false)
        .with_writer(Mutex::new(log))
        .try_init()
        .map_err(|error| FileError::write(&path, io::Error::other(error)))?;
    Ok(path)
}

/// The log, open for writing. Other processes may append to it as well.
struct Log {
    path: PathBuf,
    file: File,
    /// Bytes that the file had when it was asked last, and what was written since.
    size: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let file = private(path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            size,
        })
    }

    /// Goes on in a new file if this one is too large by now. Another process may have renamed
    /// it already.
    fn rotate(&mut self) -> io::Result<()> {
        let own = self.file.metadata()?;
        let named = fs::symlink_metadata(&self.path);
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (own.dev(), own.ino())) {
            fs::rename(&self.path, self.path.with_extension("log.old"))?;
        }
        *self = Self::open(&self.path)?;
        Ok(())
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.size >= MOST_BYTES {
            // Where that cannot be done, nothing is written: the log stays bounded.
            self.rotate()?;
        }
        let written = self.file.write(line)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_never_grows_beyond_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("squirrel.log");
        let (mut one, mut two) = (Log::open(&path).unwrap(), Log::open(&path).unwrap());
        let line = [b'x'; 4_096];
        let mut last = Vec::new();
        for number in 0..6_000_u32 {
            let log = if number % 3 == 0 { &mut one } else { &mut two };
            last = number.to_string().into_bytes();
            log.write_all(&line).unwrap();
            log.write_all(&last).unwrap();
        }
        let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
        // Each of the two counts what it writes itself.
        for name in ["squirrel.log", "squirrel.log.old"] {
            assert!(size(name) <= 2 * MOST_BYTES, "{name}: {}", size(name));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(fs::read(&path).unwrap().ends_with(&last));
    }
}
