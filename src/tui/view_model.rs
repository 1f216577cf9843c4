//! The border between the screen and the app: [`ViewModel`] is the state that a frame is drawn
//! from, [`Intent`] the request that a key makes.

use std::time::Duration;

use crate::domain::{
    CheckResult, FieldMistake, Moment, Now, Silence, SiteEdit, SiteId, SiteValues, clean,
};
use crate::lab::{ExperimentState, RaceState, Workload};
use crate::monitor::Monitor;
use crate::paradigm::{Census, Label, QueueFigures};
use crate::trace::{Capacity, ProcStats, TraceStore};

use super::history_view::HistoryView;
use super::replay_state::ReplayState;

/// The state that a frame is drawn from, by reference. The screen only reads it.
#[derive(Clone, Copy)]
pub struct ViewModel<'a> {
    /// The state of every site.
    pub monitor: &'a Monitor,
    /// The time of the frame.
    pub now: Now,
    /// The paradigms that exist, in the order of their keys.
    pub paradigms: &'a [Label],
    /// The index of the paradigm in use among them.
    pub active: usize,
    /// The load of that paradigm: workers, checks in flight, threads.
    pub census: Census,
    /// Whether the number of its workers can be changed.
    pub resizable: bool,
    /// The trace of the last checks.
    pub trace: TraceView<'a>,
    /// The newest answers of the history.
    pub history: &'a HistoryView,
    /// The replay of the history under other rules.
    pub replay: &'a ReplayState,
    /// The resources that the program itself uses.
    pub process: ProcessStats,
    /// The last race and the last experiment.
    pub lab: LabView<'a>,
    /// When a site is due next; `None` while it is paused or not scheduled.
    pub next_due: &'a dyn Fn(SiteId) -> Option<Moment>,
    /// Why a site's owners get no message at present; `None` if they get them.
    pub silence: &'a dyn Fn(SiteId) -> Option<Silence>,
    /// Who is on call: an owner with a rotation, and whose turn it is.
    pub on_call: &'a [(Box<str>, Box<str>)],
    /// What the form of a site is checked with.
    pub form: SiteFormView<'a>,
    /// The newest message for the status line, such as the receipt of a switch.
    pub message: Option<&'a StatusMessage>,
    /// The last messages for the status line, shown or not.
    pub messages: &'a [StatusMessage],
    /// A lasting problem, such as a sites.toml with mistakes; `None` without one.
    pub banner: Option<&'a str>,
    /// The path of sites.toml, shortened for the header.
    pub config_path: &'a str,
    /// Whether the sites are demo sites, which can be broken and mended.
    pub demo: bool,
}

/// The trace of the checks and what it is read with.
#[derive(Clone, Copy, Debug)]
pub struct TraceView<'a> {
    /// Every poll of the last minutes, and the checks in flight.
    pub store: &'a TraceStore,
    /// The counters of the operating system for each thread.
    pub kernel: &'a ProcStats,
    /// The number of sites that the paradigm can check in time; `None` until it is measured.
    pub capacity: Option<Capacity>,
    /// The interval of the sites, where all have the same.
    pub interval: Option<Duration>,
    /// Whether new checks are recorded.
    pub on: bool,
    /// This program's process id.
    pub pid: u32,
    /// The queue of the paradigm `celery`; `None` under the others.
    pub queue: Option<&'a QueueFigures>,
}

/// The mistakes in what was typed for a new site (`None`), or for changes of a site.
pub type CheckFields<'a> = &'a dyn Fn(Option<SiteId>, &SiteValues) -> Vec<FieldMistake>;

/// What the form of a site is checked with.
#[derive(Clone, Copy)]
pub struct SiteFormView<'a> {
    /// Finds the mistakes in what was typed.
    pub check: CheckFields<'a>,
    /// The last trial that has ended.
    pub tried: Option<&'a TriedSite>,
    /// Why sites cannot be edited; `None` where they can.
    pub refusal: Option<&'a str>,
}

impl SiteFormView<'static> {
    /// A form in which nothing is wrong and nothing was tried, for a screen without an app.
    pub const ALONE: Self = Self {
        check: &|_, _| Vec::new(),
        tried: None,
        refusal: None,
    };
}

/// A trial of a site that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TriedSite {
    /// The number of the trial.
    pub number: u64,
    /// The result of its check, or why there was none.
    pub result: Result<Box<CheckResult>, String>,
}

/// The last race and the last experiment, with their progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct LabView<'a> {
    /// The race that runs or ran, if there is one.
    pub race_state: Option<&'a RaceState>,
    /// The experiment.
    pub experiment_state: Option<&'a ExperimentState>,
    /// Whether a race is running.
    pub racing: bool,
    /// Whether an experiment is running.
    pub trying: bool,
    /// The number of processor cores.
    pub cores: usize,
    /// Grows with every change of the fields above.
    pub revision: u64,
}

/// The resources that the program uses; `None` where the system does not report them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessStats {
    /// Processor time used, as a share of one core; may be above 1.
    pub cpu: Option<f32>,
    /// Resident memory in bytes, children included.
    pub rss: Option<u64>,
}

/// The kind of a status message, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A plain notice.
    Info,
    /// Something succeeded: green.
    Good,
    /// Something to know of: yellow.
    Warn,
    /// Something failed: red.
    Bad,
}

/// One line on the status line, shown for eight seconds unless it is `sticky`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMessage {
    /// The text of the message, one line.
    pub text: String,
    /// A shorter text for a line without room for the whole one.
    pub short: Option<String>,
    /// The tone of the message.
    pub tone: Tone,
    /// The time at which it was made.
    pub at: Moment,
    /// Whether it stays until a newer one comes.
    pub sticky: bool,
}

impl StatusMessage {
    /// The text for a line of `width` cells.
    pub(crate) fn line(&self, width: u16) -> String {
        let text = clean(&self.text, 1_000);
        match &self.short {
            Some(short) if text.chars().count() > usize::from(width) => clean(short, 1_000),
            _ => text,
        }
    }
}

/// A request to the app: the effect of a key outside of the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// End the program.
    Quit,
    /// The terminal is gone: end the program without another frame.
    Closed,
    /// Run the checks by the paradigm of this index in [`ViewModel::paradigms`].
    Paradigm(usize),
    /// Change the number of workers by this many steps; the app knows the size of a step.
    Workers(i32),
    /// Check these sites now.
    Recheck(Vec<SiteId>),
    /// Check every site now.
    RecheckAll,
    /// Pause the sites (`true`), or resume them.
    Pause(Vec<SiteId>, bool),
    /// Begin maintenance of the sites, or end it where all have it.
    Maintain(Vec<SiteId>),
    /// Change sites in the file.
    Edit(SiteEdit),
    /// Check a new site (`None`), or a changed one, once with these values.
    TrySite {
        /// The number of the trial, to be found in [`TriedSite::number`].
        number: u64,
        /// The site that is changed; `None` for a new one.
        site: Option<SiteId>,
        /// The values that were typed; for a site that is changed, those that differ.
        fields: SiteValues,
    },
    /// Take back the last edit, pause, maintenance or acknowledgement.
    TakeBack,
    /// Make this demo site fail.
    Break(SiteId),
    /// Make this demo site answer well again.
    Mend(SiteId),
    /// Put this text on the clipboard (`Terminal::copy`).
    Copy(String),
    /// Acknowledge the outages of these sites with this note; `None` takes that back.
    Acknowledge(Vec<SiteId>, Option<String>),
    /// Deliver the message with this identifier again.
    SendAgain(Box<str>),
    /// Record the trace of new checks (`true`), or stop recording.
    Record(bool),
    /// Export the trace into a file.
    Export,
    /// Start or stop a race or an experiment.
    Lab(LabRequest),
    /// Hand the terminal back to the shell (`Terminal::suspend`).
    Suspend,
    /// Draw the whole screen again (`Terminal::redraw`).
    Redraw,
}

/// A request of the Race or Lab screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabRequest {
    /// Race every paradigm over this work.
    Race {
        /// The work: checks of the sites, sleeps or crunches.
        workload: Workload,
        /// Whether threads need the emulated interpreter lock to run.
        gil: bool,
    },
    /// Stops the race.
    StopRace,
    /// Run an experiment by the paradigm in use.
    Experiment {
        /// The work of each job: sleep or crunch.
        workload: Workload,
        /// The number of jobs.
        jobs: usize,
        /// The duration of one job that runs alone.
        length: Duration,
        /// A run for each entry, in this order: with the interpreter lock, or without.
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
