//! What a frame is drawn from, and what a key asks for: the seam between the screen and the app.

use std::time::Duration;

use crate::domain::{Moment, Now, SiteId, clean};
use crate::lab::{ExperimentState, RaceState, Workload};
use crate::monitor::Monitor;
use crate::paradigm::{Census, Label, QueueFigures};
use crate::trace::{Capacity, ProcStats, TraceStore};

use super::history_view::HistoryView;
use super::replay_state::ReplayState;

/// Everything a frame is drawn from, by reference. The screen reads it and writes nothing.
#[derive(Clone, Copy)]
pub struct ViewModel<'a> {
    /// The state of every site.
    pub monitor: &'a Monitor,
    /// The time of the frame.
    pub now: Now,
    /// The paradigms that exist, in the order of their keys.
    pub paradigms: &'a [Label],
    /// Which of them runs the checks.
    pub active: usize,
    /// How busy it is.
    pub census: Census,
    /// Whether its number of workers can be changed.
    pub resizable: bool,
    /// What every check did lately.
    pub trace: TraceView<'a>,
    /// The newest answers of the history.
    pub history: &'a HistoryView,
    /// The past under other rules.
    pub replay: &'a ReplayState,
    /// What the program itself costs.
    pub process: ProcessStats,
    /// The last race and the last experiment.
    pub lab: LabView<'a>,
    /// When a site is due next; `None` while that is not known, or it is paused.
    pub next_due: &'a dyn Fn(SiteId) -> Option<Moment>,
    /// Why nobody is told of a site at present, if that is so.
    pub silence: &'a dyn Fn(SiteId) -> Option<String>,
    /// The newest notice: the receipt of a switch, a failed reload.
    pub message: Option<&'a StatusMessage>,
    /// Trouble that lasts, such as a broken sites.toml.
    pub banner: Option<&'a str>,
    /// Which sites.toml, shortened for people.
    pub config_path: &'a str,
    /// Whether the fleet can be broken and mended from here.
    pub demo: bool,
}

/// What is on record of the checks, thread by thread.
#[derive(Clone, Copy, Debug)]
pub struct TraceView<'a> {
    /// Every poll of the last minutes, and what is in flight.
    pub store: &'a TraceStore,
    /// What the operating system counts of each thread.
    pub kernel: &'a ProcStats,
    /// What the paradigm can hold of the list; `None` before that was measured.
    pub capacity: Option<Capacity>,
    /// How often sites are checked, where all are alike.
    pub interval: Option<Duration>,
    /// Whether checks that start now are recorded.
    pub on: bool,
    /// This program's process id.
    pub pid: u32,
    /// The queue between the paradigm and its workers, if it has one.
    pub queue: Option<&'a QueueFigures>,
}

/// The last race and the last experiment, as far as they have come.
#[derive(Clone, Copy, Debug, Default)]
pub struct LabView<'a> {
    /// The race.
    pub race_state: Option<&'a RaceState>,
    /// The experiment.
    pub experiment_state: Option<&'a ExperimentState>,
    /// Whether the race is on.
    pub racing: bool,
    /// Whether the experiment is on.
    pub trying: bool,
    /// Cores of the machine.
    pub cores: usize,
    /// Changes whenever there is something new to see.
    pub revision: u64,
}

/// What the program itself costs; `None` where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessStats {
    /// Processor time used, as a share of one core; may be above 1.
    pub cpu: Option<f32>,
    /// Resident memory in bytes, children included.
    pub rss: Option<u64>,
}

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// So that you know.
    Info,
    /// It worked.
    Good,
    /// Something needs attention.
    Warn,
    /// Something failed.
    Bad,
}

/// One line for the reader, shown for a few seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMessage {
    /// The line.
    pub text: String,
    /// What of it must not be cut, for a line that is too narrow for all.
    pub short: Option<String>,
    /// How it is meant.
    pub tone: Tone,
    /// Since when it stands.
    pub at: Moment,
    /// Stays until a newer one comes.
    pub sticky: bool,
}

impl StatusMessage {
    /// The line as it is shown where `width` cells are left for it.
    pub(crate) fn line(&self, width: u16) -> String {
        let text = clean(&self.text, 1_000);
        match &self.short {
            Some(short) if text.chars().count() > usize::from(width) => clean(short, 1_000),
            _ => text,
        }
    }
}

/// What the reader asked for and only the app can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// End the program.
    Quit,
    /// The terminal is gone: end the program without another frame.
    Closed,
    /// Run the checks by `ViewModel::paradigms[_]` from now on.
    Paradigm(usize),
    /// So many steps more workers, or fewer; the app knows the sizes.
    Workers(i32),
    /// Look at this site now.
    Recheck(SiteId),
    /// Look at every site now.
    RecheckAll,
    /// Pause the site, or resume it.
    Pause(SiteId, bool),
    /// Begin maintenance at the site, or end it.
    Maintain(SiteId),
    /// Make the site of the demonstration fleet fail.
    Break(SiteId),
    /// Make the site of the demonstration fleet well again.
    Mend(SiteId),
    /// Put this text on the clipboard (`Terminal::copy`).
    Copy(String),
    /// Somebody knows of the site's outage, and this is their note; or takes that back.
    Acknowledge(SiteId, Option<String>),
    /// Send this letter of the outbox again.
    SendAgain(Box<str>),
    /// Record what every check does, or stop it.
    Record(bool),
    /// Write what is on record into a file.
    Export,
    /// Race or try something, or stop it.
    Lab(LabRequest),
    /// Hand the terminal back to the shell (`Terminal::suspend`).
    Suspend,
    /// Draw everything anew (`Terminal::redraw`).
    Redraw,
}

/// What the reader wants of Race and Lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabRequest {
    /// Every paradigm over this work.
    Race {
        /// The sites of the list, or toys.
        workload: Workload,
        /// Whether threads have to hold the interpreter lock.
        gil: bool,
    },
    /// Stop the race.
    StopRace,
    /// The paradigm in use over toys.
    Experiment {
        /// Which toys.
        workload: Workload,
        /// How many.
        jobs: usize,
        /// How long each takes by itself.
        length: Duration,
        /// With the lock, without, or one after the other.
        gils: Vec<bool>,
    },
    /// Stop the experiment.
    StopExperiment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_too_long_is_shown_in_short_if_it_has_a_short_form() {
        let of = |text: &str, short: Option<&str>| StatusMessage {
            text: text.to_owned(),
            short: short.map(str::to_owned),
            tone: Tone::Good,
            at: Moment::ZERO,
            sticky: false,
        };
        let receipt = of(
            "serial -> async: in flight 2 = finished 2",
            Some("in flight 2 = finished 2"),
        );
        assert_eq!(
            receipt.line(60),
            "serial -> async: in flight 2 = finished 2"
        );
        assert_eq!(receipt.line(30), "in flight 2 = finished 2");
        let other = of("sites.toml: line 3 is no TOML", None);
        assert_eq!(other.line(10), "sites.toml: line 3 is no TOML");
    }
}
