//! The same loop without a screen, for a service manager: everything that happens is handed
//! to whoever asked for it.

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

/// Results that are folded in at a time.
const BATCH: usize = 1_024;

/// How long the program may sleep: schedule and receipts want a look every second.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What a watch begins with.
#[derive(Debug)]
pub struct Watch {
    /// The sites and how they are watched.
    pub config: Config,
    /// The first paradigm.
    pub entry: &'static ParadigmEntry,
    /// How many workers each paradigm gets.
    pub workers: WorkerLimits,
    /// Where the history is kept.
    pub history: HistoryStorage,
    /// Whether every check is told.
    pub results: bool,
    /// The time zone of the messages to owners.
    pub zone: jiff::tz::TimeZone,
    /// Where the metrics are served.
    pub metrics: Option<Endpoint>,
}

/// Something that whoever watches is told.
#[derive(Debug)]
pub enum Occurrence<'a> {
    /// The checks have begun.
    Started,
    /// From the driver.
    Happened(&'a Happening),
    /// The configuration was taken over, or why not.
    Reloaded(Result<(), ReloadError>),
    /// The end, by a signal of this number.
    Stopped(u8),
}

/// Watches the sites until a signal ends it; gives the signal's number.
///
/// # Errors
/// If it cannot begin, or if `tell` fails: then there is nobody to watch for.
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
    driver.close(&mut inbox.reports, super::PATIENCE);
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

/// When the service manager hears next that the program is alive.
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
        // A little before it is due, for the loop does not wake to the nanosecond.
        if self
            .last
            .is_none_or(|last| now.since(last) >= period.mul_f64(0.9))
        {
            self.service.alive();
            self.last = Some(now);
        }
    }
}
