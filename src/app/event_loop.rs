//! The one loop of a monitor, whoever watches it: a screen or a reader of lines. One event at a
//! time goes to the driver or to the watcher; then what is due is done, and the watcher told.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::domain::{CheckResult, Clock as _, Moment};

use super::config_watcher::{ConfigEvent, ConfigWatcher};
use super::control_actions::{self, ControlRequests};
use super::driver::Driver;
use super::event::{Ending, Event};
use super::metrics_source::MetricsQuestions;
use super::report::{Inbox, Report};

/// Results that are taken in at a time, so that a key never waits for a flood of them: when each
/// opens an outage, so many take the engine some five milliseconds.
const BATCH: usize = 256;

/// The longest sleep of the loop: schedule and receipts are processed every second.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Where events come from, whoever watches.
pub(super) struct Sources {
    results: UnboundedReceiver<CheckResult>,
    reports: UnboundedReceiver<Report>,
    questions: MetricsQuestions,
    control: ControlRequests,
    pub(super) config_watcher: ConfigWatcher,
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

/// Whoever watches a monitor, with the driver of that monitor.
pub(super) trait Frontend {
    /// What the watcher does by itself.
    type Input;
    /// Why it cannot watch any more.
    type Error;

    /// The driver.
    fn driver(&mut self) -> &mut Driver;

    /// The next thing that it does by itself. Nothing is lost where this is dropped.
    fn input(&mut self) -> impl Future<Output = Result<Self::Input, Self::Error>>;

    /// When it has something to do, if nothing happens before.
    fn next_wake(&mut self) -> Moment;

    /// Takes what it did by itself.
    fn take(
        &mut self,
        input: Self::Input,
        sources: &Sources,
    ) -> Result<Option<Ending>, Self::Error>;

    /// Takes a signal by its number: SIGHUP, SIGINT or SIGTERM.
    fn signal(&mut self, number: u8, sources: &Sources) -> Option<Ending>;

    /// Takes a change of sites.toml.
    fn configure(&mut self, event: ConfigEvent);

    /// Something may have happened: the driver knows.
    fn turn(&mut self, sources: &Sources) -> Result<Option<Ending>, Self::Error>;

    /// The loop has ended; what is under way may still come.
    fn ends(&mut self) {}
}

impl Sources {
    /// # Errors
    /// If the system does not deliver signals.
    pub(super) fn new(
        inbox: Inbox,
        questions: MetricsQuestions,
        control: ControlRequests,
        config_watcher: ConfigWatcher,
    ) -> io::Result<Self> {
        Ok(Self {
            results: inbox.results,
            reports: inbox.reports,
            questions,
            control,
            config_watcher,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// What other threads report.
    pub(super) const fn reports(&mut self) -> &mut UnboundedReceiver<Report> {
        &mut self.reports
    }

    /// Waits for the next thing that happens, until `wake`. What the watcher does comes first,
    /// whatever else there is.
    async fn next<I, E>(
        &mut self,
        input: impl Future<Output = Result<I, E>>,
        wake: tokio::time::Instant,
    ) -> Result<Event<I>, E> {
        let mut batch = Vec::new();
        Ok(tokio::select! {
            biased;
            input = input => Event::Input(input?),
            _ = self.interrupt.recv() => Event::Signal(2),
            _ = self.terminate.recv() => Event::Signal(15),
            _ = self.hangup.recv() => Event::Signal(1),
            question = self.questions.next() => Event::Asked(question),
            request = self.control.next() => Event::Control(request),
            event = self.config_watcher.next() => Event::Config(event),
            Some(report) = self.reports.recv() => Event::Report(report),
            _ = self.results.recv_many(&mut batch, BATCH) => Event::Results(batch),
            () = tokio::time::sleep_until(wake) => Event::Tick,
        })
    }
}

/// Goes round until the watcher has seen enough, and closes the driver.
///
/// # Errors
/// If the watcher cannot watch any more.
pub(super) async fn run<W: Frontend>(
    watcher: &mut W,
    sources: &mut Sources,
) -> Result<Ending, W::Error> {
    let ended = go_round(watcher, sources).await;
    watcher.ends();
    watcher
        .driver()
        .close(sources.reports(), super::CLOSE_TIMEOUT);
    ended
}

/// Goes round until the watcher has seen enough.
///
/// # Errors
/// If the watcher cannot watch any more.
pub(super) async fn go_round<W: Frontend>(
    watcher: &mut W,
    sources: &mut Sources,
) -> Result<Ending, W::Error> {
    loop {
        let wake = next_wake(watcher);
        let ended = match sources.next(watcher.input(), wake).await? {
            Event::Input(input) => watcher.take(input, sources)?,
            Event::Signal(number) => watcher.signal(number, sources),
            Event::Config(event) => {
                watcher.configure(event);
                None
            }
            Event::Results(results) => {
                watcher.driver().results(results);
                None
            }
            Event::Report(report) => {
                watcher.driver().report(report);
                None
            }
            Event::Asked(question) => {
                watcher.driver().answer(question);
                None
            }
            Event::Control(request) => {
                let driver = watcher.driver();
                control_actions::carry_out(request, driver, &sources.config_watcher);
                None
            }
            Event::Tick => None,
        };
        if let Some(ending) = ended {
            return Ok(ending);
        }
        watcher.driver().tick();
        if let Some(ending) = watcher.turn(sources)? {
            return Ok(ending);
        }
    }
}

fn next_wake(watcher: &mut impl Frontend) -> tokio::time::Instant {
    let driver = watcher.driver();
    let clock = driver.clock();
    let due = driver.next_wake();
    let latest = clock.moment() + LONGEST_SLEEP;
    let wake = due.map_or(latest, |due| due.min(latest));
    let wake = wake.min(watcher.next_wake());
    tokio::time::Instant::from_std(clock.instant(wake))
}
