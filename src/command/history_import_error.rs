//! Why `squirrel history import` takes nothing, or not all of a file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::domain::{FileError, plain_io_error, plural};
use crate::history::{
    HistoryReadError, MonitorImportError, OfflineHistoryError, OtherMonitorError,
};

/// The longest line that is read, in bytes.
pub(super) const LONGEST_LINE: usize = 1 << 16;

/// Why results were not imported, or not all of them.
#[derive(Debug)]
pub(super) enum HistoryImportError {
    /// The file to read.
    File(FileError),
    /// It is of no kind that can be imported.
    UnknownKind(PathBuf),
    /// A line of it, counted from 1; the lines before it are imported.
    Line {
        path: PathBuf,
        line: u64,
        error: LineError,
    },
    /// The history that the results go into, or another monitor's database.
    Database(MonitorImportError),
    /// The history cannot be read back for its outages.
    History(HistoryReadError),
}

impl fmt::Display for HistoryImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::UnknownKind(path) => write!(
                f,
                "{}: neither what squirrel history export writes nor a database of Uptime Kuma \
                 or Gatus",
                path.display()
            ),
            Self::Line { path, line, error } => write!(
                f,
                "{}:{line}: not a line of squirrel history export: {error}; the lines before it \
                 are imported",
                path.display()
            ),
            Self::Database(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HistoryImportError {}

impl From<HistoryReadError> for HistoryImportError {
    fn from(error: HistoryReadError) -> Self {
        Self::History(error)
    }
}

impl From<MonitorImportError> for HistoryImportError {
    fn from(error: MonitorImportError) -> Self {
        Self::Database(error)
    }
}

impl From<OfflineHistoryError> for HistoryImportError {
    fn from(error: OfflineHistoryError) -> Self {
        Self::Database(error.into())
    }
}

impl From<OtherMonitorError> for HistoryImportError {
    fn from(error: OtherMonitorError) -> Self {
        Self::Database(error.into())
    }
}

/// What is wrong with a line of an export.
#[derive(Debug)]
pub(super) enum LineError {
    /// The file cannot be read further.
    Io(io::Error),
    /// It is longer than [`LONGEST_LINE`].
    TooLong,
    /// It is not JSON, or not an object with the fields of an export.
    Json(serde_json::Error),
    /// It is not CSV, or not a row with the columns of an export.
    Csv(csv::Error),
    /// The name is missing, or the name or the URL is too long.
    Name,
    /// The time is not RFC 3339.
    Time,
    /// The latency is negative, or more than a day.
    Latency,
    /// A reason where the verdict is up, or none where it is not.
    Reason,
}

impl LineError {
    /// What is wrong with a row of CSV.
    pub(super) fn csv(error: csv::Error) -> Self {
        match error.kind() {
            csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Self::TooLong
            }
            _ => Self::Csv(error),
        }
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use serde_json::error::Category;
        match self {
            Self::Io(error) => f.write_str(&plain_io_error(error)),
            Self::TooLong => write!(f, "longer than {}", plural(LONGEST_LINE, "byte")),
            Self::Json(error) => match error.classify() {
                Category::Eof => f.write_str("it ends in the middle"),
                Category::Data => {
                    let text = error.to_string();
                    let plain = text.rsplit_once(" at line ").map_or(&*text, |(why, _)| why);
                    f.write_str(plain)
                }
                Category::Syntax | Category::Io => {
                    write!(f, "not JSON from character {} on", error.column())
                }
            },
            Self::Csv(error) => match error.kind() {
                csv::ErrorKind::Io(error) => f.write_str(&plain_io_error(error)),
                csv::ErrorKind::Utf8 { .. } => f.write_str("not UTF-8 text"),
                csv::ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => write!(f, "{} instead of {expected_len}", plural(*len, "column")),
                csv::ErrorKind::Deserialize { err, .. } => err.kind().fmt(f),
                _ => f.write_str("not CSV"),
            },
            Self::Name => f.write_str("no name, or a name or URL that is too long"),
            Self::Time => f.write_str("expected a time such as 2026-01-31T12:00:00.123456Z"),
            Self::Latency => f.write_str("expected a latency of at least 0 and at most a day"),
            Self::Reason => {
                f.write_str("expected a reason with every verdict but up, and none with up")
            }
        }
    }
}

impl std::error::Error for LineError {}
