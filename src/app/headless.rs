//! The monitor without a screen, for a service manager: every event goes to a function of the
//! caller.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::domain::{CheckResult, Clock as _, Moment};
use crate::engine::Notice;
use crate::history::HistoryStorage;
use crate::metrics::Endpoint;
use crate::monitor::State;
use crate::paradigm::ParadigmEntry;

use super::config_watcher::{ConfigEvent, ConfigWatcher};
use super::driver::Driver;
use super::error::{ReloadError, SessionError};
use super::metrics_source::MetricsQuestions;
use super::report::{DriverOptions, Happening};
use super::sd_notify::SdNotify;
use super::worker_limits::WorkerLimits;

/// The most results that are taken in at a time.
const BATCH: usize = 1_024;

/// The longest sleep of the loop: schedule and receipts are processed every second.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

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
}

/// An event of the monitor.
#[derive(Debug)]
pub enum Occurrence<'a> {
    /// The checks have begun.
    Started,
    /// From the driver.
    Happened(&'a Happening),
    /// A changed configuration is used from now on, or why it is not.
    Reloaded(Result<(), ReloadError>),
    /// The monitor ends because of the signal of this number.
    Stopped(u8),
}

/// Monitors the sites until a signal comes; gives its number. Every event is passed to `tell`.
///
/// # Errors
/// If the monitor cannot begin, or `tell` fails ([`SessionError::Output`]).
pub fn watch(
    watch: Watch,
    tell: impl FnMut(Occurrence<'_>, &Driver) -> io::Result<()>,
) -> Result<u8, SessionError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(run(watch, tell));
    runtime.shutdown_background();
    ended
}

async fn run(
    watch: Watch,
    mut write: impl FnMut(Occurrence<'_>, &Driver) -> io::Result<()>,
) -> Result<u8, SessionError> {
    let mut tell = |occurrence: Occurrence<'_>, driver: &Driver| {
        write(occurrence, driver).map_err(SessionError::Output)
    };
    let service = SdNotify::of_environment();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut config_watcher = ConfigWatcher::start(&watch.config)?;
    let options = DriverOptions {
        config: watch.config,
        others: None,
        entry: watch.entry,
        workers: watch.workers,
        history: &watch.history,
        zone: watch.zone,
    };
    let (mut driver, mut inbox) = Driver::start(options)?;
    let clock = driver.clock();
    // No screen shows who ran what, here or at workers elsewhere.
    driver.recorder().switch(false);
    let mut questions = MetricsQuestions::of(watch.metrics)?;
    let is_told = |happening: &&Happening| {
        watch.results || !matches!(happening, Happening::Notice(Notice::Checked(_)))
    };
    let ended: Result<u8, SessionError> = async {
        tell(Occurrence::Started, &driver)?;
        service.ready(&status(&driver));
        let mut beat = Beat::new(&service);
        let mut batch: Vec<CheckResult> = Vec::new();
        loop {
            let now = clock.moment();
            beat.due(now);
            let latest = now + beat.pause();
            let wake = driver.next_wake().map_or(latest, |wake| wake.min(latest));
            let wake = tokio::time::Instant::from_std(clock.instant(wake));
            tokio::select! {
                biased;
                _ = interrupt.recv() => return Ok(2),
                _ = terminate.recv() => return Ok(15),
                _ = hangup.recv() => {
                    service.reloading();
                    config_watcher.reload();
                }
                kept = config_watcher.next() => {
                    if let Some(reloaded) = reload(&mut driver, kept) {
                        tell(Occurrence::Reloaded(reloaded), &driver)?;
                    }
                    service.ready(&status(&driver));
                }
                Some(report) = inbox.reports.recv() => driver.report(report),
                question = questions.next() => driver.answer(question),
                _ = inbox.results.recv_many(&mut batch, BATCH) => driver.results(batch.drain(..)),
                () = tokio::time::sleep_until(wake) => {}
            }
            driver.tick();
            let happenings = driver.take_happenings();
            for happening in happenings.iter().filter(is_told) {
                tell(Occurrence::Happened(happening), &driver)?;
            }
            if !happenings.is_empty() {
                service.status(&status(&driver));
            }
        }
    }
    .await;
    service.stopping();
    driver.close(&mut inbox.reports, super::CLOSE_TIMEOUT);
    for happening in driver.take_happenings().iter().filter(is_told) {
        tell(Occurrence::Happened(happening), &driver)?;
    }
    let number = ended?;
    tell(Occurrence::Stopped(number), &driver)?;
    Ok(number)
}

fn reload(driver: &mut Driver, kept: ConfigEvent) -> Option<Result<(), ReloadError>> {
    match kept {
        ConfigEvent::Changed(config) if config.sites.is_empty() => Some(Err(ReloadError::NoSite)),
        ConfigEvent::Changed(config) => {
            for warning in &config.warnings {
                tracing::warn!("{warning}");
            }
            let reloaded = driver.reload(*config);
            Some(reloaded.map(|_| ()).map_err(ReloadError::Driver))
        }
        ConfigEvent::Broken(mistakes) => Some(Err(ReloadError::Mistakes(mistakes))),
        ConfigEvent::Saved(..) => None,
    }
}

fn status(driver: &Driver) -> String {
    let totals = driver.monitor().totals();
    format!("{} sites, {} down", totals.all(), totals.of(State::Down))
}

/// Sends the service manager's watchdog its signs of life.
struct Beat<'a> {
    service: &'a SdNotify,
    last: Option<Moment>,
}

impl<'a> Beat<'a> {
    const fn new(service: &'a SdNotify) -> Self {
        Self {
            service,
            last: None,
        }
    }

    fn pause(&self) -> Duration {
        let period = self.service.watchdog().unwrap_or(LONGEST_SLEEP);
        period.min(LONGEST_SLEEP)
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
