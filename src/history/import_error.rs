//! The errors of an import from another monitor.

use std::fmt;
use std::path::PathBuf;

use super::compact::OfflineHistoryError;

/// Why the file of another monitor cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherMonitorError {
    /// SQLite cannot read it: why, in plain words.
    Sqlite(PathBuf, String),
    /// It is a history of this program.
    OwnHistory(PathBuf),
    /// It has the tables of none of these monitors.
    Unknown(PathBuf),
}

impl fmt::Display for OtherMonitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path, why) => write!(f, "{}: {why}", path.display()),
            Self::OwnHistory(path) => write!(
                f,
                "{}: a history of squirrel; import what squirrel history export writes of it",
                path.display()
            ),
            Self::Unknown(path) => write!(
                f,
                "{}: a database, but neither of Uptime Kuma nor of Gatus",
                path.display()
            ),
        }
    }
}

impl std::error::Error for OtherMonitorError {}

/// Why an import from another monitor ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorImportError {
    /// The other monitor's file cannot be read.
    Source(OtherMonitorError),
    /// The history cannot be written.
    History(OfflineHistoryError),
}

impl fmt::Display for MonitorImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MonitorImportError {}

impl From<OtherMonitorError> for MonitorImportError {
    fn from(error: OtherMonitorError) -> Self {
        Self::Source(error)
    }
}

impl From<OfflineHistoryError> for MonitorImportError {
    fn from(error: OfflineHistoryError) -> Self {
        Self::History(error)
    }
}
