//! The workloads that a race or an experiment can run.

use serde::{Deserialize, Serialize};

/// What each job of a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// A check of a site.
    Http,
    /// Waits, without using a core.
    Sleep,
    /// Computes, without waiting.
    Crunch,
}

impl Workload {
    /// All workloads, in the order of the Lab.
    pub const ALL: [Self; 3] = [Self::Http, Self::Sleep, Self::Crunch];

    /// The name on the command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sleep => "sleep",
            Self::Crunch => "crunch",
        }
    }
}
