//! Why the history could not be opened.

use std::fmt;
use std::io;

use crate::domain::plain_io_error;

use super::open::Refusal;

/// Why the history could not be opened.
#[derive(Debug)]
pub enum HistoryError {
    /// The file must not be used: another monitor has it open, or it is not of this version.
    Refused(Refusal),
    /// The thread could not be started, or there is no memory for a database.
    Io(io::Error),
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Io(error) => f.write_str(&plain_io_error(error)),
        }
    }
}

impl std::error::Error for HistoryError {}
