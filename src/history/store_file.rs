//! The database that is written: the file, or one in memory that takes its place while the file
//! cannot be written.
//!
//! A disk that is full, a lock of another program: what is open is copied into memory, and what
//! happens meanwhile is copied back. A file that is damaged is put aside, and one that is moved
//! or removed is missed within a second: a new one is begun, and what the monitor knows is asked
//! of it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;

use crate::domain::{Clock, plural};

use super::file_identity::{FileIdentity, remove_leftovers};
use super::handle_error::HistoryError;
use super::lock::Lock;
use super::memory_fallback;
use super::open::{self, Fault, SHORT_PATIENCE, is_damage, plain};
use super::outage_rows;
use super::queries::Queries;
use super::rows::{HistoryEvent, WatchedSites};
use super::store::Store;
use super::writer_entry::WriteEntry;

/// How long another program's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time between two attempts to open a file that could not be written.
const REOPEN_INTERVAL: Duration = Duration::from_secs(1);

/// How long the monitor's word is waited for before memory is copied back without it.
const STATE_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is made sure that the file has its name.
const NAME_INTERVAL: Duration = Duration::from_millis(400);

/// The most results that the database in memory holds while the file cannot be written.
const MOST_RESULTS_IN_MEMORY: usize = 200_000;

/// What goes on while memory takes the file's place.
struct Fallback {
    since: Instant,
    next: Instant,
    /// Results that were lost so far.
    lost: u64,
    /// Memory has everything that is open: it was copied, or the monitor said it.
    is_complete: bool,
    /// It was told that the file is not written.
    is_told: bool,
}

impl Fallback {
    fn new(is_complete: bool) -> Self {
        let now = Instant::now();
        Self {
            since: now,
            next: now + REOPEN_INTERVAL,
            lost: 0,
            is_complete,
            is_told: false,
        }
    }
}

/// The database that is written.
pub(super) struct StoreFile {
    pub(super) store: Store,
    /// The file; `None` for a history in memory by configuration.
    path: Option<PathBuf>,
    lock: Option<Lock>,
    /// Of the files that are open under `path`.
    identity: FileIdentity,
    fallback: Option<Fallback>,
    sites: WatchedSites,
    clock: Arc<dyn Clock>,
    tell: Box<dyn Fn(HistoryEvent) + Send>,
    name_due: Instant,
    /// Another database is written since this was asked last.
    is_another: bool,
}

impl StoreFile {
    /// Opens the file at `path`, or a database in memory without one, or where the file cannot
    /// be written at present. A damaged file is put aside.
    pub(super) fn open(
        path: Option<PathBuf>,
        clock: Arc<dyn Clock>,
        tell: Box<dyn Fn(HistoryEvent) + Send>,
    ) -> Result<Self, HistoryError> {
        let (mut opened, mut lock, mut why_not) = (None, None, None);
        if let Some(path) = &path {
            let first = match open::open(path, &mut lock, PATIENCE) {
                Err(Fault::Damaged) => match open::put_aside(path, clock.timestamp()) {
                    Ok(aside) => {
                        tell(HistoryEvent::PutAside(aside));
                        open::open(path, &mut lock, PATIENCE)
                    }
                    Err(why) => Err(Fault::Unusable(format!("{}: {why}", path.display()))),
                },
                first => first,
            };
            match first {
                Ok(store) => opened = Some(store),
                Err(Fault::Refused(refusal)) => return Err(HistoryError::Refused(refusal)),
                Err(fault) => why_not = Some(fault.sentence(path)),
            }
        }
        let in_use = opened.as_ref().and(path.as_deref());
        let identity = in_use.map(FileIdentity::of).unwrap_or_default();
        let store = match opened {
            Some(store) => store,
            None => open::in_memory().map_err(|why| HistoryError::Io(io::Error::other(why)))?,
        };
        let fallback = why_not.map(|why| {
            tell(HistoryEvent::Trouble(why));
            Fallback {
                is_told: true,
                ..Fallback::new(true)
            }
        });
        Ok(Self {
            store,
            path,
            lock,
            identity,
            fallback,
            sites: WatchedSites::default(),
            clock,
            tell,
            name_due: Instant::now() + NAME_INTERVAL,
            is_another: false,
        })
    }

    pub(super) fn tell(&self, event: HistoryEvent) {
        (self.tell)(event);
    }

    pub(super) const fn is_in_memory(&self) -> bool {
        self.fallback.is_some()
    }

    /// Whether another database is written since this was asked last.
    pub(super) fn take_another(&mut self) -> bool {
        std::mem::take(&mut self.is_another)
    }

    /// Runs a query on the open database.
    pub(super) fn answer(&mut self, ask: impl FnOnce(&Queries<'_>)) {
        let path = self.path.as_deref().filter(|_| self.fallback.is_none());
        let queries = Queries::new(&self.store, path, self.clock.timestamp());
        ask(&queries);
        if queries.damaged() {
            self.replace_damaged();
        }
    }

    /// Writes all of it, into memory if need be.
    pub(super) fn apply(&mut self, batch: &[WriteEntry]) {
        for entry in batch {
            if let WriteEntry::Sites(sites, _) = entry {
                self.sites = Arc::clone(sites);
            }
        }
        if let Err(error) = self.store.apply(batch) {
            self.handle_error(&error);
            if let Err(error) = self.store.apply(batch) {
                let lost = plural(batch.len(), "entry");
                tracing::error!("lost for the history: {lost}: {}", plain(&error));
            }
        }
        if let Some(fallback) = &mut self.fallback {
            let connection = &self.store.connection;
            fallback.lost +=
                memory_fallback::trim(connection, MOST_RESULTS_IN_MEMORY).unwrap_or_default();
        }
    }

    /// Counts results that were lost before they came here.
    pub(super) fn lost(&mut self, results: u64) {
        match &mut self.fallback {
            Some(fallback) => fallback.lost += results,
            None => self.tell(HistoryEvent::Mended { lost: results }),
        }
    }

    /// The monitor has said all that it knows.
    pub(super) fn is_complete(&mut self) {
        if let Some(fallback) = &mut self.fallback {
            fallback.is_complete = true;
        }
    }

    /// Handles an error of the database: moves a damaged file aside, or goes on in memory.
    pub(super) fn handle_error(&mut self, error: &rusqlite::Error) {
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
        let Some(mut memory) = in_memory() else {
            return;
        };
        let copied = memory_fallback::copy_from_file(&memory.connection, &path);
        if let Err(error) = copied.as_ref().map_err(plain) {
            tracing::warn!("what is open in {} cannot be read: {error}", path.display());
        }
        memory.replaces_file = true;
        self.store = memory;
        self.is_another = true;
        // The lock stays: the file still belongs to this process.
        self.fallback = Some(Fallback {
            is_told: true,
            ..Fallback::new(copied.is_ok())
        });
        self.register();
        self.tell(HistoryEvent::Trouble(format!("{}: {why}", path.display())));
        if copied.is_err() {
            self.tell(HistoryEvent::StateWanted);
        }
    }

    fn register(&mut self) {
        if self.sites.is_empty() {
            return;
        }
        let entry = WriteEntry::Sites(Arc::clone(&self.sites), self.clock.timestamp());
        if let Err(error) = self.store.apply(&[entry]).map_err(|error| plain(&error)) {
            tracing::error!("sites of the history are not known: {error}");
        }
    }

    /// Tries to write into the file again when it is time; at once if this is the last chance.
    pub(super) fn try_file(&mut self, last: bool) {
        let now = Instant::now();
        let Some(fallback) = &self.fallback else {
            return;
        };
        let waits = !fallback.is_complete && now < fallback.since + STATE_PATIENCE;
        if !last && (now < fallback.next || waits) {
            return;
        }
        if let Err(error) = self.return_to_file() {
            tracing::debug!("the history cannot be written yet: {error}");
        }
    }

    /// Opens the file again and copies into it what has happened meanwhile.
    fn return_to_file(&mut self) -> Result<(), String> {
        let (Some(path), Some(fallback)) = (self.path.clone(), &mut self.fallback) else {
            return Ok(());
        };
        fallback.next = Instant::now() + REOPEN_INTERVAL;
        let opened = open::open(&path, &mut self.lock, SHORT_PATIENCE);
        let store = opened.map_err(|fault| fault.sentence(&path))?;
        let memory = &self.store.connection;
        memory_fallback::copy_to_file(memory, &path, fallback.is_complete)
            .map_err(|error| format!("{}: {}", path.display(), plain(&error)))?;
        let marked = outage_rows::mark_changes(memory, &store.connection, store.rolled);
        if let Err(error) = marked.map_err(|error| plain(&error)) {
            tracing::warn!("outages are not in what was rolled up: {error}");
        }
        // Later it may wait for others as long as any writer.
        let _kept = store.connection.busy_timeout(PATIENCE);
        let (lost, is_told) = (fallback.lost, fallback.is_told);
        self.store = store;
        self.identity = FileIdentity::of(&path);
        self.is_another = true;
        self.fallback = None;
        self.register();
        if is_told || lost > 0 {
            self.tell(HistoryEvent::Mended { lost });
        }
        Ok(())
    }

    fn replace_damaged(&mut self) {
        let Some(path) = self.path.clone().filter(|_| self.fallback.is_none()) else {
            return;
        };
        if !self.forget_file() {
            return;
        }
        match open::put_aside(&path, self.clock.timestamp()) {
            Ok(aside) => {
                self.tell(HistoryEvent::PutAside(aside));
                self.begin_anew();
            }
            Err(why) => self.trouble(format!("{}: {why}", path.display())),
        }
        self.tell(HistoryEvent::StateWanted);
    }

    /// Misses a file that was moved or removed, and its lock, which another monitor may take
    /// then. To be called often.
    pub(super) fn miss_file(&mut self) {
        let Some(path) = self.path.clone().filter(|_| self.fallback.is_none()) else {
            return;
        };
        let now = Instant::now();
        if now < self.name_due {
            return;
        }
        self.name_due = now + NAME_INTERVAL;
        let there = FileIdentity::of(&path);
        let is_locked = self.lock.as_ref().is_some_and(Lock::is_in_place);
        let is_whole = self.identity.is_whole(&there);
        if is_locked && is_whole {
            self.identity = there;
            return;
        }
        if !is_locked {
            self.lock = None;
            if is_whole && let Ok(lock) = Lock::take(&path) {
                self.lock = Some(lock);
                return;
            }
        }
        self.leave_file();
        if !self.forget_file() {
            return;
        }
        if !self.identity.is_same(&there) {
            if !there.is_there() {
                remove_leftovers(&path);
            }
            self.tell(HistoryEvent::Moved(path));
        }
        self.begin_anew();
        self.tell(HistoryEvent::StateWanted);
    }

    /// Brings everything into the file, wherever it is now. At its end SQLite would remove the
    /// log beside it by its name, which may be another file's by now.
    fn leave_file(&self) {
        let connection = &self.store.connection;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let moved = connection.query_row(checkpoint, [], |_| Ok(()));
        let left = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        if let Err(error) = moved.and(left.map(|_| ())).map_err(|error| plain(&error)) {
            tracing::warn!("the last rows of the file that is gone are lost: {error}");
        }
    }

    /// Opens the database again, after a failure of this program that may have left it in any
    /// state.
    pub(super) fn renew(&mut self) {
        if self.path.is_some() && self.fallback.is_none() && self.forget_file() {
            self.begin_anew();
        } else {
            self.register();
        }
        self.is_another = true;
        self.tell(HistoryEvent::StateWanted);
    }

    /// Closes the file, and goes on in memory without anything of it; `false` if that cannot be.
    fn forget_file(&mut self) -> bool {
        let Some(mut memory) = in_memory() else {
            return false;
        };
        memory.replaces_file = true;
        self.store = memory;
        self.is_another = true;
        self.fallback = Some(Fallback::new(false));
        self.register();
        true
    }

    /// Opens the file that is there now, or makes one.
    fn begin_anew(&mut self) {
        if let Err(why) = self.return_to_file() {
            self.trouble(why);
        }
    }

    fn trouble(&mut self, why: String) {
        if let Some(fallback) = &mut self.fallback {
            fallback.is_told = true;
        }
        self.tell(HistoryEvent::Trouble(why));
    }
}

fn in_memory() -> Option<Store> {
    open::in_memory()
        .map_err(|why| tracing::error!("no memory takes the place of the history: {why}"))
        .ok()
}
