//! The thread that owns the database: stores what arrives in batches, runs queries between two
//! batches, and rolls up and deletes when it is idle.
//!
//! Senders never wait: what they send stands in an unbounded channel. Results are counted on the
//! way in; beyond [`super::MOST_WAITING`] of them new ones are dropped and counted, so that a
//! disk that stalls costs no memory. Changes of a site and messages are never dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use crate::domain::{Clock, Moment, Retention, Timestamp, plural};

use super::growth;
use super::message_batching::Compose;
use super::queries::Queries;
use super::retention;
use super::retention_clock::RetentionClock;
use super::rollup::Roller;
use super::rows::HistoryEvent;
use super::store_file::StoreFile;
use super::writer_entry::WriteEntry;

/// The time in which results are gathered for one transaction.
const BATCH_TIME: Duration = Duration::from_millis(200);

/// The most entries of one transaction.
const BATCH_ENTRIES: usize = 16_384;

/// The time between two searches for due rollups and old rows while there are none.
const IDLE_WAIT: Duration = Duration::from_millis(500);

/// The time in which buckets are rolled up before commands are looked for.
const ROLLUP_TIME: Duration = Duration::from_millis(10);

/// How long nothing is rolled up or deleted after the thread has failed: it may have failed in
/// that.
const REST: Duration = Duration::from_secs(60);

/// A command to the thread.
pub(super) enum WriterCommand {
    Write(WriteEntry),
    Ask(Box<dyn FnOnce(&Queries<'_>) + Send>),
    Compose(Compose),
    Retention(Retention),
    /// All that the monitor knows was sent, as it was wanted.
    StateTold,
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
    file: StoreFile,
    keep: Retention,
    clock: Arc<dyn Clock>,
    shared: Arc<WriterShared>,
    batch: Vec<WriteEntry>,
    /// Messages to be composed, of what is in the batch or was written before.
    composing: Vec<Compose>,
    roller: Roller,
    retention_clock: RetentionClock,
    /// Both clocks at the start, for [`Writer::trusted_time`].
    began: (Moment, Timestamp),
    /// Until when nothing is rolled up or deleted.
    rests_until: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        file: StoreFile,
        keep: Retention,
        clock: Arc<dyn Clock>,
        shared: Arc<WriterShared>,
    ) -> Self {
        let began = (clock.moment(), clock.timestamp());
        Self {
            retention_clock: RetentionClock::of(&file.store, began),
            file,
            keep,
            clock,
            shared,
            batch: Vec::new(),
            composing: Vec::new(),
            roller: Roller::default(),
            began,
            rests_until: None,
        }
    }

    /// Runs until `Stop`, or until no handle is left. A failure of the program in it is told,
    /// and it goes on.
    pub(super) fn run(mut self, inbox: &Receiver<WriterCommand>) {
        loop {
            let ended = catch_unwind(AssertUnwindSafe(|| self.work(inbox)));
            let Err(panic) = ended else { return };
            let why = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            let why = why.unwrap_or("it is not known why").to_owned();
            tracing::error!("the thread of the history failed: {why}");
            let recovered = catch_unwind(AssertUnwindSafe(|| self.recover()));
            if recovered.is_err() {
                tracing::error!("the thread of the history failed again");
            }
            self.file.tell(HistoryEvent::Failed(why));
        }
    }

    /// Opens the database again, and stores what was to be stored: what fails again is left.
    fn recover(&mut self) {
        self.rests_until = Some(Instant::now() + REST);
        let batch = std::mem::take(&mut self.batch);
        self.file.renew();
        for entry in batch {
            let _told = catch_unwind(AssertUnwindSafe(|| self.file.apply(&[entry])));
        }
    }

    fn work(&mut self, inbox: &Receiver<WriterCommand>) {
        let mut busy = false;
        loop {
            let wait = if busy { Duration::ZERO } else { IDLE_WAIT };
            let going = match inbox.recv_timeout(wait) {
                Ok(command) => self.fill_batch(command, inbox),
                Err(RecvTimeoutError::Timeout) => true,
                Err(RecvTimeoutError::Disconnected) => false,
            };
            self.flush();
            if !going {
                // The last attempt to write what is in memory.
                self.file.try_file(true);
                return;
            }
            self.file.miss_file();
            self.file.try_file(false);
            busy = self.housekeep();
        }
    }

    /// Takes commands until there is a batch worth a transaction; false after the last command.
    fn fill_batch(&mut self, first: WriterCommand, inbox: &Receiver<WriterCommand>) -> bool {
        let until = Instant::now() + BATCH_TIME;
        let mut urgent = self.take(first);
        while self.batch.len() < BATCH_ENTRIES {
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
            urgent = urgent.max(self.take(next));
            if urgent == Urgency::Last {
                return false;
            }
        }
        urgent != Urgency::Last
    }

    fn take(&mut self, command: WriterCommand) -> Urgency {
        match command {
            WriterCommand::Write(entry) => {
                let is_result = entry.is_result();
                if is_result {
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                self.batch.push(entry);
                if is_result {
                    Urgency::None
                } else {
                    Urgency::Some
                }
            }
            WriterCommand::Ask(ask) => {
                // A query sees everything that was sent before it.
                self.flush();
                self.file.answer(ask);
                Urgency::None
            }
            WriterCommand::Compose(compose) => {
                self.composing.push(compose);
                Urgency::Some
            }
            WriterCommand::Retention(keep) => {
                self.keep = keep;
                Urgency::None
            }
            WriterCommand::StateTold => {
                self.flush();
                self.file.is_complete();
                Urgency::None
            }
            WriterCommand::Stop => Urgency::Last,
        }
    }

    fn flush(&mut self) {
        self.flush_batch();
        let composing = std::mem::take(&mut self.composing);
        if !composing.is_empty() {
            self.file.answer(|queries| queries.compose_all(composing));
        }
    }

    fn flush_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.file.apply(&self.batch);
        let messages = self.batch.iter().any(|entry| match entry {
            WriteEntry::Messages(messages) => !messages.is_empty(),
            WriteEntry::SiteChange(change) => !change.messages.is_empty(),
            WriteEntry::OutboxUpdate { .. } => true,
            _ => false,
        });
        self.batch.clear();
        if messages {
            self.file.tell(HistoryEvent::OutboxChanged);
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
        while self.roller.step(&mut self.file.store, now)? {
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
            let lost = plural(dropped, "result");
            tracing::warn!("the history cannot keep up: {lost} not stored");
            self.file.lost(dropped);
        }
        if self.file.take_another() {
            self.roller = Roller::default();
            let now = (self.clock.moment(), self.trusted_time());
            self.retention_clock = RetentionClock::of(&self.file.store, now);
        }
        if self.file.is_in_memory() {
            return false;
        }
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let now = self.trusted_time().as_micros().div_euclid(1_000_000);
        let more = self.roll_up(now).and_then(|more| {
            let now = self.retention_clock.now(now, self.clock.moment());
            let store = &self.file.store;
            self.retention_clock.keep(&store.connection, now)?;
            growth::measure(&store.connection, now)?;
            Ok(more | retention::step(store, &self.keep, now)?)
        });
        more.unwrap_or_else(|error| {
            self.roller = Roller::default();
            self.file.handle_error(&error);
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
