//! The errors of a monitor: at its start, while it runs, and of a changed configuration.

use std::fmt;
use std::io;

use crate::config::Diagnostics;
use crate::domain::plain_io_error;
use crate::history::HistoryError;
use crate::paradigm::StartError;
use crate::probe::FactoryError;

/// Why no check can be made.
#[derive(Debug)]
pub enum DriverError {
    /// The trusted certificates cannot be read.
    ProberFactory(FactoryError),
    /// The first paradigm cannot start.
    Start(StartError),
    /// The history cannot be opened.
    History(HistoryError),
    /// A thread cannot be started.
    Io(io::Error),
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProberFactory(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
            Self::Io(error) => write!(f, "no thread can be started: {}", plain_io_error(error)),
        }
    }
}

impl std::error::Error for DriverError {}

/// Why a monitor cannot begin or go on.
#[derive(Debug)]
pub enum SessionError {
    /// The checks, or the history.
    Driver(DriverError),
    /// The terminal, or another resource of the system.
    Io(io::Error),
    /// Nobody reads the events any more.
    ReaderGone,
    /// No key has this name.
    NoSuchKey(String),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => error.fmt(f),
            Self::Io(error) => f.write_str(&plain_io_error(error)),
            Self::ReaderGone => f.write_str("standard output: the reader is gone"),
            Self::NoSuchKey(name) => write!(f, "there is no key \"{name}\""),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DriverError> for SessionError {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

/// Why a changed configuration is not used.
#[derive(Debug)]
pub enum ReloadError {
    /// The configuration lists no site.
    NoSite,
    /// The configuration has mistakes.
    Mistakes(Diagnostics),
    /// Its `ca_file` or its queue cannot be used.
    Driver(DriverError),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSite => f.write_str("no site is listed"),
            Self::Mistakes(mistakes) => mistakes.fmt(f),
            Self::Driver(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReloadError {}
