//! What a session begins with, and the state of the world that comes of it.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config::Config;
use crate::domain::{CheckResult, Clock, SystemClock};
use crate::fleet::FleetProcess;
use crate::history::{HistoryError, Place};
use crate::metrics::Endpoint;
use crate::paradigm::Entry;
use crate::tui::{Options, Tone};

use super::answering::Questions;
use super::beginning::CoreError;
use super::core::Core;
use super::ledger::{Ledger, Word};
use super::reckon::Reckoner;
use super::workers::Workers;
use super::world::World;

/// What a session begins with.
#[derive(Debug)]
pub struct Launch {
    /// The sites and how they are watched.
    pub config: Config,
    /// The first paradigm.
    pub entry: &'static Entry,
    /// How many workers each paradigm gets.
    pub workers: Workers,
    /// What to say about that at once.
    pub notice: Option<String>,
    /// How the terminal is to be treated.
    pub options: Options,
    /// The configuration's name for people.
    pub source: String,
    /// The fleet of the demonstration.
    pub fleet: Option<FleetProcess>,
    /// Where the history is kept.
    pub history: Place,
    /// The configuration whose owners are told of every site, in place of the first one's.
    pub tell: Option<Config>,
    /// Where the metrics are served.
    pub metrics: Option<Endpoint>,
}

/// Why a session cannot begin or go on.
#[derive(Debug)]
pub enum SessionError {
    /// The checks.
    Core(CoreError),
    /// The history.
    History(HistoryError),
    /// The terminal, or the system.
    Io(io::Error),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A session's parts, with the first checks under way.
pub(super) struct Opened {
    pub(super) world: World,
    pub(super) results: UnboundedReceiver<CheckResult>,
    pub(super) clock: SystemClock,
    pub(super) options: Options,
    pub(super) fleet: Option<FleetProcess>,
    pub(super) words: UnboundedReceiver<Word>,
    pub(super) questions: Questions,
}

impl Launch {
    /// Starts the checks.
    pub(super) fn open(self) -> Result<Opened, SessionError> {
        let clock = SystemClock::new();
        let (sender, results) = unbounded_channel();
        let zone = self.options.zone.clone();
        let shared: Arc<dyn Clock> = Arc::new(clock);
        // Before the first check, so that a second monitor asks nobody anything.
        let tell = self.tell.as_ref();
        let opened = Ledger::open(&self.history, &self.config, tell, &shared, zone.clone())
            .map_err(SessionError::History)?;
        let reckoner = Reckoner::new(&self.history, self.config.monitor.clone());
        let warnings = self.config.warnings.clone();
        let mut core = Core::start(self.config, self.entry, self.workers, clock, sender)
            .map_err(SessionError::Core)?;
        core.keep(opened.ledger, opened.restored);
        core.beware(opened.speaker)?;
        let place = self.metrics.as_ref().map(Endpoint::url);
        let questions = Questions::of(self.metrics)?;
        let demo = self.fleet.is_some();
        let mut world = World::new(core, clock, zone, self.source, demo, reckoner);
        if let Some(place) = place {
            world.say(Tone::Info, format!("metrics at {place}"));
        }
        for warning in warnings {
            world.say(Tone::Warn, warning);
        }
        if let Some(notice) = self.notice {
            world.say(Tone::Warn, notice);
        }
        Ok(Opened {
            world,
            results,
            clock,
            options: self.options,
            fleet: self.fleet,
            words: opened.words,
            questions,
        })
    }
}
