//! Options that several subcommands share.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::DurationError;
use crate::history::HistoryStorage;
use crate::metrics::Endpoint;

use super::exit::{Exit, fail};

/// The configuration.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SourceArgs {
    /// The configuration file, sites.toml
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// The appearance of the screen.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct ScreenArgs {
    /// Draw with ASCII characters only
    #[arg(long)]
    pub(super) ascii: bool,
    /// Leave the mouse to the terminal: no clicks, no wheel
    #[arg(long)]
    pub(super) no_mouse: bool,
}

/// The metrics endpoint.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct MetricsArgs {
    /// Serve metrics for Prometheus at this address, such as 127.0.0.1:9115; a port alone is
    /// one of loopback
    #[arg(long, value_name = "ADDR", value_parser = crate::metrics::listen_address)]
    pub(super) metrics: Option<SocketAddr>,
}

impl MetricsArgs {
    /// Binds the address, before anything else begins; `None` without the option.
    pub(super) fn endpoint(&self) -> Result<Option<Endpoint>, Exit> {
        let bound = self.metrics.map(Endpoint::bind).transpose();
        bound.map_err(fail)
    }
}

/// The place of the history.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct HistoryArgs {
    /// Keep the history in this file; with "none" only in memory, until the program ends
    /// [default: history.db in the user's state directory]
    #[arg(long, value_name = "FILE|none")]
    pub(super) history: Option<PathBuf>,
}

impl HistoryArgs {
    /// The place of the command line, else `default`.
    pub(super) fn place(&self, default: impl FnOnce() -> HistoryStorage) -> HistoryStorage {
        match &self.history {
            Some(word) if word.as_os_str() == "none" => HistoryStorage::Memory,
            Some(path) => HistoryStorage::File(path.clone()),
            None => default(),
        }
    }

    /// The place of the command line, else `history.db` in the state directory.
    pub(super) fn of_monitor(&self) -> HistoryStorage {
        self.place(|| {
            let folder = crate::config::state_dir();
            folder.map_or(HistoryStorage::Memory, |folder| {
                HistoryStorage::File(folder.join("history.db"))
            })
        })
    }
}

/// The form of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// JSON, an object a line
    Json,
    /// For people
    Table,
}

/// Why a value of an option is refused; the parser of the command line names the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArgumentError {
    /// Not a duration.
    Duration(DurationError),
    /// A duration that is shorter than this text says.
    TooShort(&'static str),
    /// A duration that is longer than this text says.
    TooLong(&'static str),
    /// Not a number, or 0.
    NoCount,
    /// Not a number of columns and one of rows.
    NoSize,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(error) => error.fmt(f),
            Self::TooShort(least) => write!(f, "expected at least {least}"),
            Self::TooLong(most) => write!(f, "expected at most {most}"),
            Self::NoCount => f.write_str("expected a number of at least 1"),
            Self::NoSize => f.write_str("expected columns and rows such as 120x36"),
        }
    }
}

impl std::error::Error for ArgumentError {}

/// A number of at least 1.
pub(super) fn workers(text: &str) -> Result<usize, ArgumentError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(ArgumentError::NoCount),
        Ok(number) => Ok(number),
    }
}
