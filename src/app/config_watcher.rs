//! Watches sites.toml and its included files on a thread of its own, reads them again when they
//! change, and writes edits into them. A slow disk delays neither a key nor a check.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::config::{
    self, Config, Diagnostics, EditError, FileUndo, KnownNames, SecretUse, Watcher, WrittenEdit,
};
use crate::domain::SiteEdit;
use crate::paradigm;

/// How often the files are examined for changes, at most.
const POLL_PERIOD: Duration = Duration::from_millis(500);

/// Polls take at most one part in so many of a processor's time: thousands of files are examined
/// less often.
const POLL_SHARE: u32 = 300;

/// How often they are examined at least.
const LONGEST_PERIOD: Duration = Duration::from_secs(60);

/// What the thread reports.
#[derive(Debug)]
pub enum ConfigEvent {
    /// The configuration changed, or was to be read again, and has no mistake.
    Changed(Box<Config>),
    /// It changed and has mistakes.
    Broken(Diagnostics),
    /// An edit was written into the file; or why not.
    Edited(FileEdit, Result<WrittenEdit, EditError>),
}

/// An edit of the file that a key asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum FileEdit {
    /// A change of sites.
    Sites(SiteEdit),
    /// The content before an edit put back (`false`), or that after it (`true`).
    Restore(FileUndo, bool),
}

enum Request {
    Edit(FileEdit),
    Reload,
}

/// The handle of the thread, which ends when this is dropped.
#[derive(Debug)]
pub struct ConfigWatcher {
    requests: Sender<Request>,
    kept: UnboundedReceiver<ConfigEvent>,
}

impl ConfigWatcher {
    /// Watches the files that `config` was read from.
    ///
    /// # Errors
    /// If the system refuses the thread.
    pub fn start(config: &Config) -> io::Result<Self> {
        let (requests, inbox) = channel();
        let (outbox, kept) = unbounded_channel();
        let watcher = Watcher::new(config);
        let path = config.path.clone();
        std::thread::Builder::new()
            .name("config".to_owned())
            .spawn(move || keep(path, watcher, &inbox, &outbox))?;
        Ok(Self { requests, kept })
    }

    /// Writes an edit into the file.
    pub fn edit(&self, edit: FileEdit) {
        // The thread lives as long as this handle.
        let _gone = self.requests.send(Request::Edit(edit));
    }

    /// Reads the file again, whether it changed or not.
    pub fn reload(&self) {
        let _gone = self.requests.send(Request::Reload);
    }

    /// The next event; pending for ever where the configuration is of no file.
    pub async fn next(&mut self) -> ConfigEvent {
        match self.kept.recv().await {
            Some(kept) => kept,
            None => std::future::pending().await,
        }
    }
}

/// The processor time that this thread has used.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn keep(
    path: Option<PathBuf>,
    mut watcher: Option<Watcher>,
    inbox: &Receiver<Request>,
    outbox: &UnboundedSender<ConfigEvent>,
) {
    let Some(path) = path else { return };
    let names = paradigm::names();
    let known = KnownNames {
        paradigms: &names,
        channels: &crate::notify::KNOWN_CHANNELS,
    };
    let mut changing = false;
    let mut period = POLL_PERIOD;
    loop {
        let mut asked = false;
        let saved = match inbox.recv_timeout(period) {
            Ok(Request::Reload) => {
                asked = true;
                None
            }
            Ok(Request::Edit(edit)) => {
                let written = match &edit {
                    FileEdit::Sites(sites) => config::edit_sites(&path, sites, &known),
                    FileEdit::Restore(undo, _) => config::restore(&path, undo),
                };
                Some(ConfigEvent::Edited(edit, written))
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let began = processor_time();
        let changed = watcher.as_mut().is_some_and(Watcher::poll);
        let spent = processor_time().saturating_sub(began);
        period = (spent * POLL_SHARE).clamp(POLL_PERIOD, LONGEST_PERIOD);
        // Some editors empty a file before they write it: it is read once it has not changed for
        // a period. After an edit was written it is read at once.
        let wrote = matches!(saved, Some(ConfigEvent::Edited(_, Ok(_))));
        if !wrote && !asked && (changed || !changing) {
            changing |= changed;
            if saved.is_some_and(|saved| outbox.send(saved).is_err()) {
                return;
            }
            continue;
        }
        changing = false;
        let kept = match config::load(&path, &known, SecretUse::Needed) {
            Ok(config) => {
                // It may include other files now.
                watcher = Watcher::new(&config);
                ConfigEvent::Changed(Box::new(config))
            }
            Err(mistakes) => ConfigEvent::Broken(mistakes),
        };
        let told = outbox.send(kept).is_ok();
        if !told || saved.is_some_and(|saved| outbox.send(saved).is_err()) {
            return;
        }
    }
}
