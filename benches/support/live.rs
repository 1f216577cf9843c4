//! The program's own driver at work on a list, driven as its loop drives it.

use std::error::Error;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout_at;
use uptime_squirrel::app::{Driver, DriverOptions, Inbox, WorkerLimits};
use uptime_squirrel::config::from_urls;
use uptime_squirrel::domain::{CheckResult, Moment, SystemClock};
use uptime_squirrel::history::HistoryStorage;
use uptime_squirrel::paradigm::{ALL, position, raise_file_limit};

/// Results that the program folds in at a time.
const BATCH: usize = 1_024;

/// A running driver.
pub(crate) struct Live {
    pub(crate) driver: Driver,
    pub(crate) clock: SystemClock,
    runtime: Runtime,
    inbox: Inbox,
    batch: Vec<CheckResult>,
}

impl Live {
    /// Starts the paradigm called `name` on `sites` sites, each due every `interval`, over
    /// the servers at `urls`; `workers` by paradigm.
    pub(crate) fn start(
        name: &str,
        workers: &[(&str, usize)],
        urls: &[String],
        sites: usize,
        interval: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let listed = (0..sites).zip(urls.iter().cycle());
        let listed: Vec<_> = listed.map(|(index, url)| format!("{url}{index}")).collect();
        let mut config = from_urls(&listed, None).map_err(|mistakes| mistakes.to_string())?;
        for site in &mut config.sites {
            site.interval = interval;
        }
        let workers = workers
            .iter()
            .map(|(name, number)| ((*name).into(), *number));
        let workers = WorkerLimits::new(&workers.collect(), raise_file_limit());
        let entry = &ALL[position(name).ok_or("no such paradigm")?];
        let options = DriverOptions {
            config,
            others: None,
            entry,
            workers,
            history: &HistoryStorage::Memory,
            zone: jiff::tz::TimeZone::UTC,
        };
        let (driver, inbox) = Driver::start(options)?;
        Ok(Self {
            clock: driver.clock(),
            driver,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()?,
            inbox,
            batch: Vec::new(),
        })
    }

    /// One turn of the loop: waits for results until something is due, at the latest until
    /// `until`, shows them to `each`, folds them in, and hands out what is due.
    pub(crate) fn turn(&mut self, until: Moment, mut each: impl FnMut(&CheckResult)) {
        let wake = self.driver.next_wake().map_or(until, |due| due.min(until));
        let wake = self.clock.instant(wake).into();
        let received = self.inbox.results.recv_many(&mut self.batch, BATCH);
        // That nothing came in time is no fault.
        let _in_time = self
            .runtime
            .block_on(async { timeout_at(wake, received).await });
        self.batch.iter().for_each(&mut each);
        self.driver.results(self.batch.drain(..));
        self.driver.tick();
    }
}
