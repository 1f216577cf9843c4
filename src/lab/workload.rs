//! The kinds of work that can be raced.

use serde::{Deserialize, Serialize};

/// What every job of a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// Real checks of real sites.
    Http,
    /// Waits, and needs no processor.
    Sleep,
    /// Computes, and waits for nothing.
    Crunch,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http, Self::Sleep, Self::Crunch];

    /// The word of command line and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sleep => "sleep",
            Self::Crunch => "crunch",
        }
    }
}
