//! The handle: gives the thread what is to be kept, and asks it. Nothing here ever waits,
//! but for the end.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::domain::{Clock, SiteId, Timestamp};

use super::MOST_WAITING;
use super::open::{self, Fault, HistoryStorage, Refusal};
use super::queries::Queries;
use super::retention::Retention;
use super::rows::{
    HistoryEvent, Message, OutboxUpdate, RestoredSite, ResultRow, SiteChange, WatchedSites,
};
use super::store::WriteEntry;
use super::writer::{Shared, Writer, WriterCommand};

/// Why there is no history.
#[derive(Debug)]
pub enum HistoryError {
    /// The program must not begin with this file.
    Refused(Refusal),
    /// No thread, or not even memory.
    Io(io::Error),
}

impl std::fmt::Display for HistoryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HistoryError {}

/// A history that is open: clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct History {
    inbox: Sender<WriterCommand>,
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl History {
    /// Opens it, and gives what stood against sites when it was closed. A damaged file is put
    /// aside, one that cannot be written is stood in for by memory until it can; `tell` says
    /// so, as it says everything else, on the history's own thread or on this one.
    ///
    /// # Errors
    /// If another monitor has the file, or it is none of ours.
    pub fn open(
        place: &HistoryStorage,
        keep: Retention,
        clock: Arc<dyn Clock>,
        tell: impl Fn(HistoryEvent) + Send + 'static,
    ) -> Result<(Self, Vec<RestoredSite>), HistoryError> {
        let path = match place {
            HistoryStorage::Memory => None,
            HistoryStorage::File(path) => Some(path.clone()),
        };
        let (mut opened, mut lock) = (None, None);
        if let Some(path) = &path {
            let first = match open::open(path, &mut lock) {
                Err(Fault::Damaged) => match open::put_aside(path, clock.timestamp()) {
                    Ok(aside) => {
                        tell(HistoryEvent::PutAside(aside));
                        open::open(path, &mut lock)
                    }
                    Err(why) => Err(Fault::Unusable(format!("{}: {why}", path.display()))),
                },
                first => first,
            };
            match first {
                Ok(store) => opened = Some(store),
                Err(Fault::Refused(refusal)) => return Err(HistoryError::Refused(refusal)),
                Err(Fault::Damaged) => tell(HistoryEvent::Trouble(format!(
                    "{}: damaged",
                    path.display()
                ))),
                Err(Fault::Unusable(why)) => tell(HistoryEvent::Trouble(why)),
            }
        }
        let from_file = opened.is_some();
        let store = match opened {
            Some(store) => store,
            None => open::in_memory().map_err(|why| HistoryError::Io(io::Error::other(why)))?,
        };
        let restored = store.restore().unwrap_or_else(|error| {
            tracing::error!("what was open cannot be restored: {error}");
            Vec::new()
        });
        let shared = Arc::new(Shared::default());
        let writer = Writer::new(
            path,
            (store, from_file),
            lock,
            keep,
            clock,
            Arc::clone(&shared),
            Box::new(tell),
        );
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
        // The thread ends only when it is told to, and then nobody has anything more to say.
        let _ended = self.inbox.send(command);
    }

    /// The sites that are watched from now on, all of them. Open outages of others end.
    pub fn sites(&self, sites: WatchedSites, at: Timestamp) {
        self.send(WriterCommand::Write(WriteEntry::Sites(sites, at)));
    }

    /// Keeps a look.
    pub fn result(&self, result: ResultRow) {
        self.send_result(WriteEntry::Result(result));
    }

    /// Counts a look that could not be started in time.
    pub fn missed(&self, site: SiteId, at: Timestamp) {
        self.send_result(WriteEntry::Missed(site, at));
    }

    fn send_result(&self, entry: WriteEntry) {
        if self.shared.waiting.load(Ordering::Relaxed) >= MOST_WAITING {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        self.send(WriterCommand::Write(entry));
    }

    /// Keeps what became of a site together with the messages about it.
    pub fn change(&self, change: SiteChange) {
        self.send(WriterCommand::Write(WriteEntry::SiteChange(Box::new(
            change,
        ))));
    }

    /// Keeps that there is maintenance at a site until then, or none any more.
    pub fn maintain(&self, site: SiteId, until: Option<Timestamp>, now: Timestamp) {
        self.send(WriterCommand::Write(WriteEntry::Maintenance(
            site, until, now,
        )));
    }

    /// Keeps messages that no change of a site led to.
    pub fn queue_messages(&self, messages: Vec<Message>) {
        self.send(WriterCommand::Write(WriteEntry::Messages(messages)));
    }

    /// Keeps what became of a message, and what the other side said.
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

    /// How long things are kept from now on.
    pub fn set_retention(&self, keep: Retention) {
        self.send(WriterCommand::Retention(keep));
    }

    /// Asks: `question` is run on the history's thread, after all that was said before, and
    /// passes on what it finds by itself. A question that is slow delays what is kept.
    pub fn ask(&self, question: impl FnOnce(&Queries<'_>) + Send + 'static) {
        self.send(WriterCommand::Ask(Box::new(question)));
    }

    /// Asks, and waits for the answer; `None` when the history is closed.
    pub fn ask_and_wait<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Queries<'_>) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        self.ask(move |book| {
            // Whoever asked may have given up.
            let _gone = answer.send(question(book));
        });
        answered.recv().ok()
    }

    /// Writes what is left and closes the file, for as long as `patience` lasts. Whoever has
    /// a handle still speaks to nobody. Gives whether it was done in time.
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
