//! The monitor without a screen, for a service manager: every event goes to a listener of the
//! caller.

use std::time::Duration;

use crate::config::Config;
use crate::control::ControlServer;
use crate::domain::{Clock as _, Moment, plural};
use crate::engine::Notice;
use crate::history::HistoryStorage;
use crate::metrics::Endpoint;
use crate::monitor::State;
use crate::paradigm::ParadigmEntry;

use super::config_watcher::{ConfigEvent, ConfigWatcher};
use super::control_actions::ControlRequests;
use super::driver::Driver;
use super::error::{ReloadError, SessionError};
use super::event::Ending;
use super::event_loop::{self, Frontend, Sources};
use super::metrics_source::MetricsQuestions;
use super::report::{DriverOptions, Happening};
use super::sd_notify::SdNotify;
use super::worker_limits::WorkerLimits;

/// The number of the signal by which a service manager asks to read the configuration again.
const SIGHUP: u8 = 1;

/// The longest wait between two notifications of the watchdog.
const LONGEST_BEAT: Duration = Duration::from_secs(1);

/// The settings of a monitor without a screen.
#[derive(Debug)]
pub struct Watch {
    /// The sites and how they are watched.
    pub config: Config,
    /// The first paradigm.
    pub entry: &'static ParadigmEntry,
    /// The number of workers of each paradigm.
    pub workers: WorkerLimits,
    /// Where the history is kept.
    pub history: HistoryStorage,
    /// Whether every check is an event, besides changes.
    pub results: bool,
    /// The time zone of the messages to owners.
    pub zone: jiff::tz::TimeZone,
    /// The bound metrics endpoint; `None` where metrics are not served.
    pub metrics: Option<Endpoint>,
    /// The bound socket for commands; `None` where none are taken.
    pub control: Option<ControlServer>,
}

/// An event of the monitor.
#[derive(Debug)]
pub enum Occurrence<'a> {
    /// The checks have begun.
    Started,
    /// Something that the driver reports.
    Happened(&'a Happening),
    /// A changed configuration is used from now on, or why it is not.
    Reloaded(Result<(), ReloadError>),
    /// The monitor ends because of the signal of this number.
    Stopped(u8),
}

/// Whoever is told of every event. Nothing here may wait for a reader: checks would.
pub trait Listener {
    /// Prints or forwards what happened.
    fn tell(&mut self, occurrence: Occurrence<'_>, driver: &Driver);

    /// Returns when nobody listens any more.
    fn gone(&mut self) -> impl Future<Output = ()>;
}

/// Monitors the sites until a signal comes; gives its number. Every event is passed to
/// `listener`.
///
/// # Errors
/// If the monitor cannot begin, or nobody listens any more ([`SessionError::ReaderGone`]).
pub fn watch(watch: Watch, listener: &mut impl Listener) -> Result<u8, SessionError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(run(watch, listener));
    runtime.shutdown_background();
    ended
}

async fn run(watch: Watch, listener: &mut impl Listener) -> Result<u8, SessionError> {
    let service = SdNotify::of_environment();
    let config_watcher = ConfigWatcher::start(&watch.config)?;
    let options = DriverOptions {
        config: watch.config,
        others: None,
        entry: watch.entry,
        workers: watch.workers,
        history: &watch.history,
        zone: watch.zone,
    };
    let (driver, inbox) = Driver::start(options)?;
    // No screen shows who ran what, here or at workers elsewhere.
    driver.recorder().switch(false);
    let questions = MetricsQuestions::of(watch.metrics)?;
    let control = ControlRequests::of(watch.control)?;
    let mut sources = Sources::new(inbox, questions, control, config_watcher)?;
    let mut watched = Headless {
        driver,
        listener,
        results: watch.results,
        beat: Beat {
            service,
            last: None,
        },
    };
    watched.listener.tell(Occurrence::Started, &watched.driver);
    watched.ready();
    let ended = event_loop::run(&mut watched, &mut sources).await;
    watched.tell();
    match ended? {
        Ending::Signal(number) => {
            let stopped = Occurrence::Stopped(number);
            watched.listener.tell(stopped, &watched.driver);
            Ok(number)
        }
        Ending::Quit => Err(SessionError::ReaderGone),
    }
}

/// The monitor without a screen.
struct Headless<'a, L> {
    driver: Driver,
    listener: &'a mut L,
    /// Whether every check is told.
    results: bool,
    beat: Beat,
}

impl<L: Listener> Frontend for Headless<'_, L> {
    /// Nobody listens any more.
    type Input = ();
    type Error = SessionError;

    fn driver(&mut self) -> &mut Driver {
        &mut self.driver
    }

    async fn input(&mut self) -> Result<(), SessionError> {
        self.listener.gone().await;
        Ok(())
    }

    fn next_wake(&mut self) -> Moment {
        let now = self.driver.clock().moment();
        self.beat.due(now);
        now + self.beat.pause()
    }

    fn take(&mut self, (): (), _: &Sources) -> Result<Option<Ending>, SessionError> {
        Ok(Some(Ending::Quit))
    }

    fn signal(&mut self, number: u8, sources: &Sources) -> Option<Ending> {
        if number != SIGHUP {
            return Some(Ending::Signal(number));
        }
        self.beat.service.reloading();
        sources.config_watcher.reload();
        None
    }

    fn configure(&mut self, event: ConfigEvent) {
        if let Some(reloaded) = reload(&mut self.driver, event) {
            let reloaded = Occurrence::Reloaded(reloaded);
            self.listener.tell(reloaded, &self.driver);
        }
        self.ready();
    }

    fn turn(&mut self, _: &Sources) -> Result<Option<Ending>, SessionError> {
        if self.tell() {
            self.beat.service.status(&status(&self.driver));
        }
        Ok(None)
    }

    fn ends(&mut self) {
        self.beat.service.stopping();
    }
}

impl<L: Listener> Headless<'_, L> {
    fn ready(&self) {
        self.beat.service.ready(&status(&self.driver));
    }

    /// Tells what has happened; gives whether anything has.
    fn tell(&mut self) -> bool {
        let happenings = self.driver.take_happenings();
        for happening in &happenings {
            if self.results || !matches!(happening, Happening::Notice(Notice::Checked(_))) {
                let happened = Occurrence::Happened(happening);
                self.listener.tell(happened, &self.driver);
            }
        }
        !happenings.is_empty()
    }
}

fn reload(driver: &mut Driver, event: ConfigEvent) -> Option<Result<(), ReloadError>> {
    match event {
        ConfigEvent::Changed(config) if config.sites.is_empty() => Some(Err(ReloadError::NoSite)),
        ConfigEvent::Changed(config) => {
            for warning in &config.warnings {
                tracing::warn!("{warning}");
            }
            let reloaded = driver.reload(*config);
            Some(reloaded.map(|_| ()).map_err(ReloadError::Driver))
        }
        ConfigEvent::Broken(mistakes) => Some(Err(ReloadError::Mistakes(mistakes))),
        ConfigEvent::Edited(..) => None,
    }
}

fn status(driver: &Driver) -> String {
    let totals = driver.monitor().totals();
    let sites = plural(totals.all(), "site");
    format!("{sites}, {} down", totals.of(State::Down))
}

/// Sends the service manager's watchdog its signs of life.
struct Beat {
    service: SdNotify,
    last: Option<Moment>,
}

impl Beat {
    fn pause(&self) -> Duration {
        let period = self.service.watchdog().unwrap_or(LONGEST_BEAT);
        period.min(LONGEST_BEAT)
    }

    fn due(&mut self, now: Moment) {
        let Some(period) = self.service.watchdog() else {
            return;
        };
        // A tenth earlier than needed: the loop does not wake to the nanosecond.
        if self
            .last
            .is_none_or(|last| now.since(last) >= period.mul_f64(0.9))
        {
            self.service.alive();
            self.last = Some(now);
        }
    }
}
