//! The file, opened for reading, for reports while a monitor may be writing. SQLite's
//! write-ahead log allows both at once; the lock beside the file is for monitors alone.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};
use rustix::fs::{Access, access};

use crate::domain::{Timestamp, plain_io_error};

use super::file_identity::FileKind;
use super::lock::beside;
use super::open::{is_damage, plain};
use super::schema::{APPLICATION_ID, MIGRATIONS};
use super::time_buckets::{COLUMNS, COLUMNS_WITHOUT_TIME};

/// The first version of the schema that has everything that is read here.
const OLDEST_VERSION: usize = 2;

/// Why the history cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryReadError {
    /// There is no such file.
    Missing(PathBuf),
    /// It is of an older version, and no monitor has opened it since.
    Older(PathBuf),
    /// It is of a newer version.
    Newer(PathBuf),
    /// It is no history: the database of another program, or no database.
    Foreign(PathBuf),
    /// SQLite cannot read it: why, in plain words.
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

/// The history, open for reading.
#[derive(Debug)]
pub struct ReadOnlyHistory {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The wall clock when it was opened: later rows are not read.
    pub(super) now: Timestamp,
    /// The second up to which results are rolled up; `None` before the first rollup.
    pub(super) rolled: Option<i64>,
    /// Whether the schema has packed days; older versions have not.
    pub(super) has_packed_days: bool,
    /// Whether it has the time of sites.
    pub(super) has_time: bool,
    /// The second from which on it has all of that time.
    pub(super) timed: i64,
}

impl ReadOnlyHistory {
    /// Opens the file at `path`; `now` is the end of every span.
    ///
    /// # Errors
    /// If it does not exist, cannot be read, or is not of this program and version.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, HistoryReadError> {
        readable(path)?;
        let unreadable = |error: rusqlite::Error| of_sqlite(path, &error);
        let connection = connect(path).map_err(unreadable)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let version = number("user_version").map_err(unreadable)?;
        if number("application_id").map_err(unreadable)? != APPLICATION_ID {
            return Err(HistoryReadError::Foreign(path.to_owned()));
        }
        match usize::try_from(version).unwrap_or(0) {
            version if version > MIGRATIONS.len() => {
                return Err(HistoryReadError::Newer(path.to_owned()));
            }
            version if version < OLDEST_VERSION => {
                return Err(HistoryReadError::Older(path.to_owned()));
            }
            _ => {}
        }
        let mark = |name| {
            let sql = "SELECT value FROM marks WHERE name = ?1";
            let value = connection.query_row(sql, [name], |row| row.get(0));
            value.optional().map_err(unreadable)
        };
        let (rolled, timed) = (mark("rolled")?, mark("timed")?);
        let has_packed_days = connection
            .table_exists(None, "packed_5m")
            .map_err(unreadable)?;
        let has_time = connection
            .column_exists(None, "results", "seen_ms")
            .map_err(unreadable)?;
        let timed = if has_time { timed } else { Some(i64::MAX) };
        Ok(Self {
            connection,
            path: path.to_owned(),
            now,
            rolled,
            has_packed_days,
            has_time,
            timed: timed.unwrap_or(i64::MIN),
        })
    }

    /// The columns of a rollup.
    pub(super) const fn columns(&self) -> &'static str {
        if self.has_time {
            COLUMNS
        } else {
            COLUMNS_WITHOUT_TIME
        }
    }

    /// The columns of the time before a row; the parameter `?3` is the beginning of the span.
    pub(super) const fn time_columns(&self) -> &'static str {
        if self.has_time {
            super::span_start::TIME_AFTER
        } else {
            "NULL, NULL AND ?3"
        }
    }

    pub(super) fn plain_error<T>(
        &self,
        answer: rusqlite::Result<T>,
    ) -> Result<T, HistoryReadError> {
        answer.map_err(|error| of_sqlite(&self.path, &error))
    }
}

/// Asks the system first: of a file that cannot be read SQLite only says that it cannot open it.
///
/// The file is not opened for that: closing it would end the locks that another connection of
/// this process holds (sqlite.org/howtocorrupt.html, section 2.2).
fn readable(path: &Path) -> Result<(), HistoryReadError> {
    let found = fs::metadata(path).and_then(|metadata| {
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(access(path, Access::READ_OK)?)
    });
    found.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => HistoryReadError::Missing(path.to_owned()),
        _ => {
            let why = format!("cannot be read: {}", plain_io_error(&error));
            HistoryReadError::Unreadable(path.to_owned(), why)
        }
    })
}

fn of_sqlite(path: &Path, error: &rusqlite::Error) -> HistoryReadError {
    if is_damage(error) && FileKind::of(path) != FileKind::History {
        HistoryReadError::Foreign(path.to_owned())
    } else {
        HistoryReadError::Unreadable(path.to_owned(), plain(error))
    }
}

/// Opens a database for reading while others may write it.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let try_open = |connection: Connection| {
        connection.busy_timeout(Duration::from_secs(2))?;
        connection.pragma_update(None, "cache_size", -32 * 1024)?;
        // The first query finds whether the file can be read at all.
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(connection)
    };
    match Connection::open_with_flags(path, flags).and_then(try_open) {
        // In a folder that cannot be written the index of the log cannot be created; without a
        // log there is no writer, and the file can be read as it is.
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

/// The path as a URI that tells SQLite that the file does not change (`immutable=1`).
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
