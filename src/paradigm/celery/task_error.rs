//! Why a task fails instead of giving the result of a check.

use std::error::Error;
use std::fmt;

use crate::probe::FactoryError;

/// Why a task fails. The text is a clause about the task; it holds nothing of its arguments,
/// which may hold secrets.
#[derive(Debug)]
pub(super) enum TaskError {
    /// No task of this name is known; cleaned, at most 100 characters.
    NotRegistered(String),
    /// The message cannot be read, or its task is not permitted: why.
    Refused(&'static str),
    /// It has this number of arguments, not one.
    Arguments(usize),
    /// Its argument does not have the form of a check: why.
    NotACheck(&'static str),
    /// The certificates that it trusts give no prober.
    Prober(FactoryError),
    /// The result has no form in JSON.
    Report(serde_json::Error),
}

impl TaskError {
    /// The type of the exception that stands for it in a result backend of Celery.
    pub(super) const fn exception(&self) -> &'static str {
        match self {
            Self::NotRegistered(_) => "NotRegistered",
            Self::Refused(_)
            | Self::Arguments(_)
            | Self::NotACheck(_)
            | Self::Prober(_)
            | Self::Report(_) => "ValueError",
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegistered(name) => write!(f, "this worker knows no task {name}"),
            Self::Refused(why) => f.write_str(why),
            Self::Arguments(number) => write!(f, "it takes one check, not {number}"),
            Self::NotACheck(why) => write!(f, "its argument is no check: {why}"),
            Self::Prober(error) => error.fmt(f),
            Self::Report(error) => error.fmt(f),
        }
    }
}

impl Error for TaskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Prober(error) => Some(error),
            Self::Report(error) => Some(error),
            Self::NotRegistered(_) | Self::Refused(_) | Self::Arguments(_) | Self::NotACheck(_) => {
                None
            }
        }
    }
}
