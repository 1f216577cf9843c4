//! Why the program cannot begin.

use std::fmt;

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
