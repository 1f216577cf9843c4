//! Why the program cannot begin.

use std::fmt;
use std::io;

use crate::history::HistoryError;
use crate::paradigm::StartError;
use crate::probe::KitError;

/// Why the program cannot begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoreError {
    /// The trusted certificates.
    Kit(KitError),
    /// The first paradigm.
    Start(StartError),
}

impl fmt::Display for CoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kit(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CoreError {}

/// Why a session cannot begin or go on.
#[derive(Debug)]
pub enum SessionError {
    /// The checks.
    Core(CoreError),
    /// The history.
    History(HistoryError),
    /// The terminal, or the system.
    Io(io::Error),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<HistoryError> for SessionError {
    fn from(error: HistoryError) -> Self {
        Self::History(error)
    }
}
