//! The file, opened to be read and nothing else: by whoever reports on it while a monitor may
//! be writing into it. SQLite's write-ahead log lets both work at once; the lock beside the
//! file is the monitors' alone.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use crate::domain::Timestamp;

use super::lock::beside;
use super::open::{is_damage, plain};
use super::schema::{APPLICATION, MIGRATIONS};

/// The first version of the tables that has all that is read here.
const OLDEST: usize = 2;

/// Why there is nothing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryReadError {
    /// There is no file.
    Missing(PathBuf),
    /// An older version of the program wrote it, and no monitor has opened it since.
    Older(PathBuf),
    /// A newer version of the program wrote it.
    Newer(PathBuf),
    /// It is no history: a database of another program, or no database.
    Foreign(PathBuf),
    /// SQLite's word, in plain language.
    Unreadable(PathBuf, String),
}

impl fmt::Display for HistoryReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                f,
                "{}: there is no history yet; squirrel and squirrel watch keep one",
                path.display()
            ),
            Self::Older(path) => write!(
                f,
                "{}: written by an older version of squirrel; run squirrel watch on it once",
                path.display()
            ),
            Self::Newer(path) => write!(
                f,
                "{}: written by a newer version of squirrel; update squirrel",
                path.display()
            ),
            Self::Foreign(path) => write!(f, "{}: no history of squirrel", path.display()),
            Self::Unreadable(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for HistoryReadError {}

/// A history that is read.
#[derive(Debug)]
pub struct ReadOnlyHistory {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The wall clock when it was opened: what is newer is not read.
    pub(super) now: Timestamp,
    /// Seconds up to which everything is summed up.
    pub(super) rolled: Option<i64>,
    /// Whether it has a place for packed summaries: older versions had none.
    pub(super) has_shelf: bool,
}

impl ReadOnlyHistory {
    /// Opens the file at `path` as it is `now`.
    ///
    /// # Errors
    /// If it is not there, or cannot be read, or is none of ours.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, HistoryReadError> {
        if !path.exists() {
            return Err(HistoryReadError::Missing(path.to_owned()));
        }
        let unreadable = |error: rusqlite::Error| of_sqlite(path, &error);
        let connection = connect(path).map_err(unreadable)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let version = number("user_version").map_err(unreadable)?;
        if number("application_id").map_err(unreadable)? != APPLICATION {
            return Err(HistoryReadError::Foreign(path.to_owned()));
        }
        match usize::try_from(version).unwrap_or(0) {
            version if version > MIGRATIONS.len() => {
                return Err(HistoryReadError::Newer(path.to_owned()));
            }
            version if version < OLDEST => return Err(HistoryReadError::Older(path.to_owned())),
            _ => {}
        }
        let rolled = connection
            .query_row("SELECT value FROM marks WHERE name = 'rolled'", [], |row| {
                row.get(0)
            })
            .optional()
            .map_err(unreadable)?;
        let has_shelf = connection
            .table_exists(None, "packed_5m")
            .map_err(unreadable)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            now,
            rolled,
            has_shelf,
        })
    }

    pub(super) fn plainly<T>(&self, answer: rusqlite::Result<T>) -> Result<T, HistoryReadError> {
        answer.map_err(|error| of_sqlite(&self.path, &error))
    }
}

fn of_sqlite(path: &Path, error: &rusqlite::Error) -> HistoryReadError {
    if is_damage(error) {
        HistoryReadError::Foreign(path.to_owned())
    } else {
        HistoryReadError::Unreadable(path.to_owned(), plain(error))
    }
}

/// Opens a database to be read, whoever may be writing it.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let try_open = |connection: Connection| {
        connection.busy_timeout(Duration::from_secs(2))?;
        connection.pragma_update(None, "cache_size", -32 * 1024)?;
        // The first look at the file: whether it can be read at all.
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(connection)
    };
    match Connection::open_with_flags(path, flags).and_then(try_open) {
        // In a folder that cannot be written there is no place for the index of the log; where
        // there is no log either, nobody is writing and the file can be read as it is.
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
            ) && !beside(path, "-wal").exists() =>
        {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(immutable(path), flags).and_then(try_open)
        }
        tried => tried,
    }
}

/// The path as a URI of SQLite that promises that nobody writes.
fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            c => uri.push(c),
        }
    }
    uri + "?immutable=1"
}
