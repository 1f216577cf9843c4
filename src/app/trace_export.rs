//! Writes the recorded checks into a trace file on a thread of its own: a slow disk and a long
//! record delay neither a key nor a check.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::domain::{Clock, FileError, SiteId, TimeFormat, Timestamp, plain_io_error, plural};
use crate::monitor::Monitor;
use crate::trace::{TraceStore, write_chrome};
use crate::tui::Tone;

use super::output_file::unnamed;
use super::session_state::SessionState;

/// The most names that are tried for the exports of one second.
const MOST_TWINS: u32 = 20;

/// The result of an export: the file's path and the number of checks in it, or the error.
pub(super) type Exported = Result<(PathBuf, usize), ExportError>;

/// Why no trace was written.
#[derive(Debug)]
pub(super) enum ExportError {
    /// The file cannot be written.
    File(FileError),
    /// No thread can be started.
    Thread(io::Error),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Thread(error) => {
                write!(f, "no thread can be started: {}", plain_io_error(error))
            }
        }
    }
}

impl std::error::Error for ExportError {}

/// Starts exports and receives their results.
#[derive(Debug)]
pub(super) struct TraceExporter {
    outbox: UnboundedSender<Exported>,
    inbox: UnboundedReceiver<Exported>,
}

impl TraceExporter {
    pub(super) fn new() -> Self {
        let (outbox, inbox) = unbounded_channel();
        Self { outbox, inbox }
    }

    /// Begins to write the checks recorded until now into the working directory.
    pub(super) fn begin(
        &self,
        store: &TraceStore,
        monitor: &Monitor,
        now: Timestamp,
        zone: &TimeZone,
    ) {
        let store = store.clone();
        let names: HashMap<SiteId, String> = store
            .all()
            .map(|record| record.site())
            .filter_map(|site| Some((site, monitor.site(site)?.site().name.to_string())))
            .collect();
        let stamp = TimeFormat::FileName.of(now, zone);
        let outbox = self.outbox.clone();
        let writing = std::thread::Builder::new()
            .name("export".to_owned())
            .spawn(move || {
                let (path, file) = new_file(&stamp);
                let written = file.and_then(|file| write(&store, &names, file));
                let checks = store.all().count();
                let told = written
                    .map(|()| (path.clone(), checks))
                    .map_err(|error| ExportError::File(FileError::write(&path, error)));
                // The receiver is gone when the program ends.
                let _unheard = outbox.send(told);
            });
        if let Err(error) = writing {
            let _never_gone = self.outbox.send(Err(ExportError::Thread(error)));
        }
    }

    /// The result of the next export that ends.
    pub(super) async fn next(&mut self) -> Exported {
        match self.inbox.recv().await {
            Some(exported) => exported,
            None => std::future::pending().await,
        }
    }
}

impl SessionState {
    /// Begins to write the recorded checks into a file.
    pub(super) fn export(&mut self, exporter: &TraceExporter) {
        self.trace.absorb(&self.driver, self.clock.moment());
        let (store, monitor) = (self.trace.store(), self.driver.monitor());
        exporter.begin(store, monitor, self.clock.timestamp(), &self.zone);
    }

    /// Shows the result of an export.
    pub(super) fn exported(&mut self, exported: Exported) {
        match exported {
            Ok((path, checks)) => {
                let text = format!("{} written to {}", plural(checks, "check"), path.display());
                self.answer(Tone::Good, text);
            }
            Err(why) => self.answer(Tone::Bad, format!("no trace was written: {why}")),
        }
    }
}

/// A new file of that time: two exports of one second do not share one, and what has its name
/// already is left alone.
fn new_file(stamp: &str) -> (PathBuf, io::Result<File>) {
    let mut path = PathBuf::from(format!("squirrel-trace-{stamp}.json"));
    let mut made = unnamed(&path);
    for number in 2..=MOST_TWINS {
        let taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
        if !made.as_ref().is_err_and(taken) {
            break;
        }
        path = PathBuf::from(format!("squirrel-trace-{stamp}-{number}.json"));
        made = unnamed(&path);
    }
    (path, made)
}

fn write(store: &TraceStore, names: &HashMap<SiteId, String>, file: File) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    let name = |site: SiteId| {
        names
            .get(&site)
            .cloned()
            .unwrap_or_else(|| site.to_string())
    };
    write_chrome(&mut file, store.all(), store.threads(), name)?;
    file.flush()
}
