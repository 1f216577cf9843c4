//! The settings of a live monitor, and its start.

use crate::config::Config;
use crate::control::ControlServer;
use crate::demo::DemoProcess;
use crate::domain::SystemClock;
use crate::history::HistoryStorage;
use crate::metrics::Endpoint;
use crate::paradigm::ParadigmEntry;
use crate::tui::{Options, Tone};

use super::control_actions::ControlRequests;
use super::driver::Driver;
use super::error::SessionError;
use super::metrics_source::MetricsQuestions;
use super::replay_runner::ReplayRunner;
use super::report::{DriverOptions, Inbox};
use super::session_state::SessionState;
use super::site_editor::SiteEditor;
use super::switch_keys::SwitchKeys;
use super::worker_limits::WorkerLimits;

/// The settings of a live monitor.
#[derive(Debug)]
pub struct Launch {
    /// The sites and how they are watched.
    pub config: Config,
    /// The first paradigm.
    pub entry: &'static ParadigmEntry,
    /// The number of workers of each paradigm.
    pub workers: WorkerLimits,
    /// A message about that number for the status line; `None` if it is as asked for.
    pub notice: Option<String>,
    /// The characters, colours and time zone of the screen.
    pub options: Options,
    /// The configuration's path as it is shown.
    pub source: String,
    /// The process of the demo sites; `None` outside of the demo.
    pub demo: Option<DemoProcess>,
    /// Where the history is kept.
    pub history: HistoryStorage,
    /// A configuration whose owners are told of every site, in place of those of `config`.
    pub tell: Option<Config>,
    /// The bound metrics endpoint; `None` where metrics are not served.
    pub metrics: Option<Endpoint>,
    /// The bound socket for commands; `None` where none are taken.
    pub control: Option<ControlServer>,
}

/// A monitor whose first checks are under way.
pub(super) struct Opened {
    pub(super) state: SessionState,
    pub(super) inbox: Inbox,
    pub(super) clock: SystemClock,
    pub(super) options: Options,
    pub(super) demo: Option<DemoProcess>,
    pub(super) questions: MetricsQuestions,
    pub(super) control: ControlRequests,
}

impl Launch {
    /// Starts the checks.
    pub(super) fn open(self) -> Result<Opened, SessionError> {
        let zone = self.options.zone.clone();
        let replay = ReplayRunner::new(&self.history, self.config.monitor.clone());
        let switch_keys = SwitchKeys::new(self.config.monitor.switch);
        let editor = SiteEditor::new(&self.config, self.demo.is_some());
        let warnings = self.config.warnings.clone();
        let options = DriverOptions {
            config: self.config,
            others: self.tell.as_ref(),
            entry: self.entry,
            workers: self.workers,
            history: &self.history,
            zone: zone.clone(),
        };
        let (driver, inbox) = Driver::start(options)?;
        let clock = driver.clock();
        let place = self.metrics.as_ref().map(Endpoint::url);
        let questions = MetricsQuestions::of(self.metrics)?;
        let control = ControlRequests::of(self.control)?;
        let demo = self.demo.is_some();
        let mut state = SessionState::new(
            driver,
            clock,
            zone,
            self.source,
            demo,
            replay,
            (switch_keys, editor),
        );
        if let Some(place) = place {
            state.say(Tone::Info, format!("metrics at {place}"));
        }
        for warning in warnings {
            state.say(Tone::Warn, warning);
        }
        if let Some(notice) = self.notice {
            state.say(Tone::Warn, notice);
        }
        Ok(Opened {
            state,
            inbox,
            clock,
            options: self.options,
            demo: self.demo,
            questions,
            control,
        })
    }
}
