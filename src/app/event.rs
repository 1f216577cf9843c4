//! Everything that can happen to a session, and everything that it can do about it.

use std::sync::Arc;

use crate::domain::{CheckResult, Site};
use crate::metrics::MetricsQuestion;
use crate::tui::Input;

use super::config_watcher::ConfigEvent;
use super::report::Report;
use super::trace_export::Exported;

/// Something that happened. Closed: the loop has no other ears.
#[derive(Debug)]
pub(super) enum Event {
    /// From the terminal; `None` when it has nothing more to say.
    Input(Option<Input>),
    /// Checks were answered.
    Results(Vec<CheckResult>),
    /// From the keeper of sites.toml.
    Config(ConfigEvent),
    /// Whoever reads the metrics wants to know.
    Asked(MetricsQuestion),
    /// From the history or the outbox.
    Report(Report),
    /// What is on record was written, or could not be.
    Exported(Exported),
    /// A signal that asks for the end.
    Signal(u8),
    /// SIGTSTP: somebody wants the terminal for a while.
    Stop,
    /// Something is due.
    Tick,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a key, or because the terminal went away.
    Quit,
    /// By a signal of this number.
    Signal(u8),
}

/// An effect on the world outside.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    End(Ending),
    /// Draw the next frame whole.
    Redraw,
    /// Ask every process of the job to stop.
    AskToStop,
    /// Give the terminal back, and stop until somebody continues us.
    Suspend,
    /// Put text on the clipboard.
    Copy(String),
    /// Tell whoever is not looking: bell and desktop notification.
    Call {
        title: String,
        body: String,
    },
    /// Write a pause into sites.toml.
    Pause(Arc<Site>, bool),
    /// Write what is on record as Chrome's trace JSON into the working directory.
    Export,
    /// Make a site of the demo fail.
    Break(Box<str>),
    /// Make it well.
    Mend(Box<str>),
}
