//! The thread that owns the database: stores what arrives in batches, runs queries between two
//! batches, and rolls up and deletes when it is idle.
//!
//! Senders never wait: what they send stands in an unbounded channel. Results are counted on the
//! way in; beyond [`super::MOST_WAITING`] of them new ones are dropped and counted, so that a
//! disk that stalls costs no memory. Changes of a site and messages are never dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use crate::domain::{Clock, Moment, Timestamp};

use super::lock::Lock;
use super::memory_fallback;
use super::open::{self, Fault, is_damage, plain};
use super::queries::Queries;
use super::retention::{self, Retention};
use super::retention_clock::RetentionClock;
use super::rollup::Roller;
use super::rows::{HistoryEvent, WatchedSites};
use super::store::{Store, WriteEntry};

/// The time in which results are gathered for one transaction.
const BATCH_TIME: Duration = Duration::from_millis(200);

/// The most entries of one transaction.
const BATCH_ENTRIES: usize = 16_384;

/// The time between two searches for due rollups and old rows while there are none.
const IDLE_WAIT: Duration = Duration::from_millis(500);

/// The time in which buckets are rolled up before commands are looked for.
const ROLLUP_TIME: Duration = Duration::from_millis(10);

/// The time between two attempts to open a file that could not be written.
const REOPEN_INTERVAL: Duration = Duration::from_secs(1);

/// The most results that the database in memory holds while the file cannot be written.
const MOST_RESULTS_IN_MEMORY: usize = 200_000;

/// A command to the thread.
pub(super) enum WriterCommand {
    Write(WriteEntry),
    Ask(Box<dyn FnOnce(&Queries<'_>) + Send>),
    Retention(Retention),
    Stop,
}

/// Counters that handles share with the thread.
#[derive(Debug, Default)]
pub(super) struct WriterShared {
    /// Results that were sent and not yet taken from the channel.
    pub(super) waiting: AtomicUsize,
    /// Results that were dropped since the thread read this last.
    pub(super) dropped: AtomicU64,
}

/// The state of the thread.
pub(super) struct Writer {
    /// The file to write; `None` for a history in memory by configuration.
    pub(super) path: Option<PathBuf>,
    pub(super) store: Store,
    pub(super) lock: Option<Lock>,
    /// While the file cannot be written: the time of the next attempt, and the results lost so
    /// far.
    pub(super) fallback: Option<(Instant, u64)>,
    pub(super) keep: Retention,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<WriterShared>,
    pub(super) tell: Box<dyn Fn(HistoryEvent) + Send>,
    sites: WatchedSites,
    roller: Roller,
    retention_clock: RetentionClock,
    /// Both clocks at the start, for [`Writer::trusted_time`].
    began: (Moment, Timestamp),
}

impl Writer {
    pub(super) fn new(
        path: Option<PathBuf>,
        (store, from_file): (Store, bool),
        lock: Option<Lock>,
        keep: Retention,
        clock: Arc<dyn Clock>,
        shared: Arc<WriterShared>,
        tell: Box<dyn Fn(HistoryEvent) + Send>,
    ) -> Self {
        let fallback =
            (path.is_some() && !from_file).then(|| (Instant::now() + REOPEN_INTERVAL, 0));
        let began = (clock.moment(), clock.timestamp());
        let retention_clock = RetentionClock::of(&store, began);
        Self {
            path,
            store,
            lock,
            fallback,
            keep,
            clock,
            shared,
            tell,
            sites: WatchedSites::default(),
            roller: Roller::default(),
            retention_clock,
            began,
        }
    }

    /// Runs until `Stop`, or until no handle is left.
    pub(super) fn run(mut self, inbox: &Receiver<WriterCommand>) {
        let mut batch = Vec::new();
        let mut busy = false;
        loop {
            let wait = if busy { Duration::ZERO } else { IDLE_WAIT };
            let going = match inbox.recv_timeout(wait) {
                Ok(command) => self.fill_batch(command, inbox, &mut batch),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            self.flush(&mut batch);
            if !going {
                // The last attempt to write what is in memory.
                self.try_file(true);
                return;
            }
            self.try_file(false);
            busy = self.housekeep();
        }
    }

    /// Takes commands until there is a batch worth a transaction; false after the last command.
    fn fill_batch(
        &mut self,
        first: WriterCommand,
        inbox: &Receiver<WriterCommand>,
        batch: &mut Vec<WriteEntry>,
    ) -> bool {
        let until = Instant::now() + BATCH_TIME;
        let mut urgent = self.take(first, batch);
        while batch.len() < BATCH_ENTRIES {
            let next = match inbox.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) if urgent != Urgency::None => break,
                Err(TryRecvError::Empty) => {
                    let left = until.saturating_duration_since(Instant::now());
                    match inbox.recv_timeout(left) {
                        Ok(command) => command,
                        Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => return false,
                    }
                }
            };
            urgent = urgent.max(self.take(next, batch));
            if urgent == Urgency::Last {
                return false;
            }
        }
        urgent != Urgency::Last
    }

    fn take(&mut self, command: WriterCommand, batch: &mut Vec<WriteEntry>) -> Urgency {
        match command {
            WriterCommand::Write(entry) => {
                if entry.is_result() {
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                    batch.push(entry);
                    return Urgency::None;
                }
                if let WriteEntry::Sites(sites, _) = &entry {
                    self.sites = Arc::clone(sites);
                }
                batch.push(entry);
                Urgency::Some
            }
            WriterCommand::Ask(ask) => {
                // A query sees everything that was sent before it.
                self.flush(batch);
                self.answer(ask);
                Urgency::None
            }
            WriterCommand::Retention(keep) => {
                self.keep = keep;
                Urgency::None
            }
            WriterCommand::Stop => Urgency::Last,
        }
    }

    fn answer(&mut self, ask: Box<dyn FnOnce(&Queries<'_>) + Send>) {
        let path = self.path.as_deref().filter(|_| self.fallback.is_none());
        let queries = Queries::new(&self.store, path, self.clock.timestamp());
        ask(&queries);
        let damaged = queries.damaged();
        if damaged {
            self.replace_damaged();
        }
    }

    fn flush(&mut self, batch: &mut Vec<WriteEntry>) {
        if batch.is_empty() {
            return;
        }
        if let Err(error) = self.store.apply(batch) {
            self.handle_error(&error);
            if let Err(error) = self.store.apply(batch) {
                tracing::error!(
                    "{} entries of the history are lost: {}",
                    batch.len(),
                    plain(&error)
                );
            }
        }
        if let Some((_, lost)) = &mut self.fallback {
            *lost += memory_fallback::trim(&self.store.connection, MOST_RESULTS_IN_MEMORY)
                .unwrap_or_default();
        }
        let messages = batch.iter().any(|entry| match entry {
            WriteEntry::Messages(messages) => !messages.is_empty(),
            WriteEntry::SiteChange(change) => !change.messages.is_empty(),
            WriteEntry::OutboxUpdate { .. } => true,
            _ => false,
        });
        batch.clear();
        if messages {
            (self.tell)(HistoryEvent::OutboxChanged);
        }
    }

    /// Handles an error of the database: moves a damaged file aside, or goes on in memory.
    fn handle_error(&mut self, error: &rusqlite::Error) {
        if is_damage(error) {
            self.replace_damaged();
        } else {
            self.fall_back(&plain(error));
        }
    }

    /// Goes on in memory until the file can be written again.
    fn fall_back(&mut self, why: &str) {
        let Some(path) = self.path.clone().filter(|_| self.fallback.is_none()) else {
            return;
        };
        let memory = match open::in_memory() {
            Ok(memory) => memory,
            Err(error) => {
                tracing::error!("no memory stands in for the history: {error}");
                return;
            }
        };
        if let Err(error) = memory_fallback::copy_from_file(&memory.connection, &path) {
            tracing::warn!(
                "what is open in {} cannot be read: {}",
                path.display(),
                plain(&error)
            );
        }
        self.store = memory;
        // The lock stays: the file still belongs to this process.
        self.fallback = Some((Instant::now() + REOPEN_INTERVAL, 0));
        self.register();
        (self.tell)(HistoryEvent::Trouble(format!("{}: {why}", path.display())));
    }

    fn register(&mut self) {
        self.roller = Roller::default();
        if self.sites.is_empty() {
            return;
        }
        let entry = WriteEntry::Sites(Arc::clone(&self.sites), self.clock.timestamp());
        if let Err(error) = self.store.apply(&[entry]) {
            tracing::error!("sites of the history are not known: {}", plain(&error));
        }
    }

    /// Tries to write into the file again when it is time; at once if this is the last chance.
    fn try_file(&mut self, last: bool) {
        let (Some(path), Some((next, lost))) = (self.path.clone(), self.fallback) else {
            return;
        };
        if !last && Instant::now() < next {
            return;
        }
        match self.reopen(&path) {
            Ok(store) => {
                self.store = store;
                self.fallback = None;
                let now = (self.clock.moment(), self.trusted_time());
                self.retention_clock = RetentionClock::of(&self.store, now);
                self.register();
                (self.tell)(HistoryEvent::Mended { lost });
            }
            Err(error) => {
                tracing::debug!("the history cannot be written yet: {error}");
                self.fallback = Some((Instant::now() + REOPEN_INTERVAL, lost));
            }
        }
    }

    fn reopen(&mut self, path: &Path) -> Result<Store, String> {
        let store = open::open(path, &mut self.lock).map_err(|fault| match fault {
            Fault::Refused(refusal) => refusal.to_string(),
            Fault::Damaged => "damaged".to_owned(),
            Fault::Unusable(why) => why,
        })?;
        memory_fallback::copy_to_file(&self.store.connection, path)
            .map_err(|error| plain(&error))?;
        Ok(store)
    }

    fn replace_damaged(&mut self) {
        let Some(path) = self.path.clone().filter(|_| self.fallback.is_none()) else {
            return;
        };
        match open::in_memory() {
            Ok(memory) => self.store = memory,
            Err(error) => {
                tracing::error!("no memory stands in for the history: {error}");
                return;
            }
        }
        self.register();
        match open::put_aside(&path, self.clock.timestamp()) {
            Ok(aside) => {
                (self.tell)(HistoryEvent::PutAside(aside));
                self.fallback = Some((Instant::now(), 0));
                self.try_file(true);
            }
            Err(why) => {
                self.fallback = Some((Instant::now() + REOPEN_INTERVAL, 0));
                (self.tell)(HistoryEvent::Trouble(format!("{}: {why}", path.display())));
            }
        }
    }

    /// The wall clock, but never further ahead than the monotonic clock has advanced since the
    /// start: the time by which rollup goes. Retention has a clock of its own.
    fn trusted_time(&self) -> Timestamp {
        let passed = self.clock.moment().since(self.began.0);
        self.clock.timestamp().min(self.began.1.after(passed))
    }

    /// Rolls up for a moment: after an import tens of thousands of buckets are due, each a small
    /// step.
    fn roll_up(&mut self, now: i64) -> rusqlite::Result<bool> {
        let until = Instant::now() + ROLLUP_TIME;
        while self.roller.step(&mut self.store, now)? {
            if Instant::now() >= until {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Some steps of rollup and one of retention; whether there is more to do at once.
    fn housekeep(&mut self) -> bool {
        let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!("the history cannot keep up: {dropped} results were not stored");
            if let Some((_, lost)) = &mut self.fallback {
                *lost += dropped;
            } else {
                (self.tell)(HistoryEvent::Mended { lost: dropped });
            }
        }
        if self.fallback.is_some() {
            return false;
        }
        let now = self.trusted_time().as_micros().div_euclid(1_000_000);
        let more = self.roll_up(now).and_then(|more| {
            let now = self.retention_clock.now(now, self.clock.moment());
            self.retention_clock.keep(&self.store.connection, now)?;
            Ok(more | retention::step(&self.store, &self.keep, now)?)
        });
        more.unwrap_or_else(|error| {
            self.roller = Roller::default();
            self.handle_error(&error);
            false
        })
    }
}

/// How soon a command has to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    None,
    Some,
    Last,
}
