//! The events of the loop, and the actions that they lead to.

use crate::config::FileUndo;
use crate::control::ControlRequest;
use crate::domain::{Acknowledgement, CheckResult, SiteId};
use crate::metrics::MetricsQuestion;
use crate::tui;

use super::config_watcher::{ConfigEvent, FileEdit};
use super::report::Report;
use super::site_trial::{SiteTrial, SiteTrialResult};
use super::tmux::Copied;
use super::trace_export::Exported;

/// An event. This is all that the loop waits for.
#[derive(Debug)]
pub(super) enum Event<I> {
    /// Whoever watches did something.
    Input(I),
    /// Checks have completed.
    Results(Vec<CheckResult>),
    /// sites.toml changed, or an edit was written into it.
    Config(ConfigEvent),
    /// The metrics endpoint asks for a page.
    Asked(MetricsQuestion),
    /// A command that came by the socket.
    Control(ControlRequest),
    /// An event of the history, the outbox or the canaries.
    Report(Report),
    /// SIGHUP, SIGINT or SIGTERM, by its number.
    Signal(u8),
    /// A check or a frame is due.
    Tick,
}

/// What a screen does by itself.
#[derive(Debug)]
pub(super) enum ScreenInput {
    /// A key, a mouse event or a new size; `None` when the terminal is closed.
    Terminal(Option<tui::TerminalInput>),
    /// A signal by its number that ends the screen and means nothing to a monitor without one.
    Signal(u8),
    /// SIGTSTP: the shell wants the terminal back.
    Stop,
    /// SIGCONT: this process was stopped, by whomever, and goes on.
    Continued,
    /// The history has answered.
    Recalled,
    /// A trace was written, or why it was not.
    Exported(Exported),
    /// tmux has taken a text, or not.
    Copied(Copied),
    /// A site was tried.
    Tried(SiteTrialResult),
    /// The process of the demo's sites has ended, in this way.
    DemoEnded(String),
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a key, or because the terminal was closed.
    Quit,
    /// By a signal of this number.
    Signal(u8),
}

/// An effect outside of the program.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    End(Ending),
    /// Draw the next frame whole.
    Redraw,
    /// Send SIGTSTP to every process of the job.
    AskToStop,
    /// Give the terminal back, and stop until SIGCONT.
    Suspend,
    /// Take the terminal again, and draw the whole screen.
    Resume,
    /// Put text on the clipboard.
    Copy(String),
    /// Ring the bell and show a desktop notification.
    Call {
        title: String,
        body: String,
    },
    /// Write an edit into sites.toml.
    Edit(FileEdit),
    /// Check a site once that is not watched yet.
    Try(SiteTrial),
    /// Write the recorded checks as Chrome's trace JSON into the working directory.
    Export,
    /// Make a site of the demo fail.
    Break(Box<str>),
    /// Ends the failure that `Break` began.
    Mend(Box<str>),
}

/// What a key has changed last, and what it was before.
#[derive(Debug)]
pub(super) enum KeyChange {
    /// Whether sites are paused.
    Pause(Vec<SiteId>, bool),
    /// Maintenance of sites.
    Maintenance(Vec<SiteId>),
    /// The content of sites.toml; `true`: an edit of it was taken back.
    File(FileUndo, bool),
    /// The acknowledgements of outages.
    Acknowledgements(Vec<(SiteId, Option<Acknowledgement>)>),
}
