//! The handle of the history: passes what is to be stored, and queries, to the writer's thread.
//! No method waits, except [`History::ask_and_wait`] and [`History::close`].

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::domain::{Clock, Retention, SeenTime, SiteId, Timestamp};

use super::MOST_WAITING;
use super::handle_error::HistoryError;
use super::open::{HistoryStorage, plain};
use super::queries::{Queries, QueryError};
use super::rows::{
    HistoryEvent, Message, OutboxUpdate, ResultRow, ResumedSite, SiteChange, WatchedSites,
};
use super::store_file::StoreFile;
use super::writer::{Writer, WriterCommand, WriterShared};
use super::writer_entry::WriteEntry;

/// An open history. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct History {
    inbox: Sender<WriterCommand>,
    shared: Arc<WriterShared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl History {
    /// Opens the history; gives with it the failure streaks and open outages of the last run. A
    /// damaged file is moved aside and a new one begun; while a file cannot be written, a
    /// database in memory takes its place. `tell` is called with these and all later events, on
    /// this thread or on the history's own.
    ///
    /// # Errors
    /// If another monitor has the file open, or if it was written by a newer version or by
    /// another program.
    pub fn open(
        place: &HistoryStorage,
        keep: Retention,
        clock: Arc<dyn Clock>,
        tell: impl Fn(HistoryEvent) + Send + 'static,
    ) -> Result<(Self, Vec<ResumedSite>), HistoryError> {
        let path = match place {
            HistoryStorage::Memory => None,
            HistoryStorage::File(path) => Some(path.clone()),
        };
        let file = StoreFile::open(path, Arc::clone(&clock), Box::new(tell))?;
        let restored = file.store.restore().unwrap_or_else(|error| {
            tracing::error!("what was open cannot be restored: {}", plain(&error));
            Vec::new()
        });
        let shared = Arc::new(WriterShared::default());
        let writer = Writer::new(file, keep, clock, Arc::clone(&shared));
        let (inbox, commands) = channel();
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || writer.run(&commands))
            .map_err(HistoryError::Io)?;
        let history = Self {
            inbox,
            shared,
            thread: Arc::new(Mutex::new(Some(thread))),
        };
        Ok((history, restored))
    }

    fn send(&self, command: WriterCommand) {
        // The thread ends only after `Stop`, and nothing is sent after that.
        let _ended = self.inbox.send(command);
    }

    /// Sets the complete list of watched sites. Open outages of other sites end.
    pub fn sites(&self, sites: WatchedSites, at: Timestamp) {
        self.send(WriterCommand::Write(WriteEntry::Sites(sites, at)));
    }

    /// Stores the result of a check.
    pub fn result(&self, result: ResultRow) {
        self.send_result(WriteEntry::Result(result));
    }

    /// Counts a check that could not be started before the next one was due; `time` is that of
    /// the site since the row before, as far as it was seen.
    pub fn missed(&self, site: SiteId, at: Timestamp, time: SeenTime) {
        self.send_result(WriteEntry::Missed(site, at, time));
    }

    fn send_result(&self, entry: WriteEntry) {
        if self.shared.waiting.load(Ordering::Relaxed) >= MOST_WAITING {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        self.send(WriterCommand::Write(entry));
    }

    /// Stores a change of a site's state together with the messages about it, in one
    /// transaction.
    pub fn change(&self, change: SiteChange) {
        self.send(WriterCommand::Write(WriteEntry::SiteChange(Box::new(
            change,
        ))));
    }

    /// Stores the end of a manual maintenance of the site; `None` ends it now.
    pub fn maintain(&self, site: SiteId, until: Option<Timestamp>, now: Timestamp) {
        self.send(WriterCommand::Write(WriteEntry::Maintenance(
            site, until, now,
        )));
    }

    /// Keeps what was told of the monitor itself, as JSON, and the messages that tell of it.
    pub fn monitor_alerts(&self, state: Box<str>, messages: Vec<Message>) {
        self.send(WriterCommand::Write(WriteEntry::MonitorAlerts(
            state, messages,
        )));
    }

    /// Puts messages into the outbox that belong to no change of a site.
    pub fn queue_messages(&self, messages: Vec<Message>) {
        self.send(WriterCommand::Write(WriteEntry::Messages(messages)));
    }

    /// Stores the outcome of a delivery, with the answer of the channel's server.
    pub fn update_message(
        &self,
        id: Box<str>,
        update: OutboxUpdate,
        answer: Option<Box<str>>,
        at: Timestamp,
    ) {
        self.send(WriterCommand::Write(WriteEntry::OutboxUpdate {
            id,
            update,
            answer,
            at,
        }));
    }

    /// All that is known was sent again, after [`HistoryEvent::StateWanted`].
    pub fn state_told(&self) {
        self.send(WriterCommand::StateTold);
    }

    /// Sets how long results and rollups are kept.
    pub fn set_retention(&self, keep: Retention) {
        self.send(WriterCommand::Retention(keep));
    }

    /// Runs `query` on the history's thread, after everything that was sent before it. A slow
    /// query delays what is stored.
    pub fn ask(&self, query: impl FnOnce(&Queries<'_>) + Send + 'static) {
        self.send(WriterCommand::Ask(Box::new(query)));
    }

    /// Runs `compose` on the history's thread, after everything that was sent before it and perhaps
    /// something that was sent later, in one transaction with others; calls `then` with what it
    /// gave once that is kept, or with the error that it is not.
    pub fn compose<T: 'static>(
        &self,
        compose: impl FnOnce(&Queries<'_>) -> T + Send + 'static,
        then: impl FnOnce(Result<T, QueryError>) + Send + 'static,
    ) {
        self.send(WriterCommand::Compose(Box::new(move |queries| {
            let composed = compose(queries);
            Box::new(move |kept: Result<(), QueryError>| then(kept.map(|()| composed)))
        })));
    }

    /// Runs `query` and waits for its answer; `None` if the history is closed.
    pub fn ask_and_wait<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Queries<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        self.ask(move |book| {
            // The caller may not wait any longer.
            let _gone = answer.send(query(book));
        });
        answered.recv().ok()
    }

    /// Stores what is left and closes the file; waits for at most `patience`. Other handles of
    /// this history do nothing after that. Returns whether it was done in time.
    pub fn close(&self, patience: Duration) -> bool {
        self.send(WriterCommand::Stop);
        let thread = match self.thread.lock() {
            Ok(mut thread) => thread.take(),
            Err(_) => None,
        };
        let Some(thread) = thread else { return true };
        let until = Instant::now() + patience;
        while !thread.is_finished() {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        thread.join().is_ok()
    }
}
