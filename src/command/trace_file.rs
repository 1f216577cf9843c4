//! `--trace FILE`: what every check of a sweep or a race did, in a file that Perfetto opens.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::output_file;
use crate::domain::{FileError, RanOn, Site, SiteId};
use crate::trace::{CheckRecord, Recorder, TraceStore, write_chrome};

/// Collects the records of a sweep for a file.
#[derive(Debug)]
pub(super) struct TraceFile {
    path: PathBuf,
    recorder: Arc<Recorder>,
    store: TraceStore,
}

impl TraceFile {
    /// Makes the file at `path`, and switches `recorder` on.
    ///
    /// # Errors
    /// If the file cannot be made: known before the first check, not after the last.
    pub(super) fn begin(path: &Path, recorder: &Arc<Recorder>) -> Result<Self, FileError> {
        ensure_writable(path)?;
        recorder.switch(true);
        Ok(Self {
            path: path.to_owned(),
            recorder: Arc::clone(recorder),
            store: TraceStore::new(),
        })
    }

    /// Takes in the records since the last call.
    pub(super) fn absorb(&mut self) {
        self.store.absorb(self.recorder.fetch());
    }

    /// Writes all records.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn finish(mut self, sites: &[Site]) -> Result<(), FileError> {
        self.absorb();
        let threads = self.recorder.roster();
        write(&self.path, self.store.all(), &threads, |site| {
            sites.get(site.index()).map(|site| &site.name)
        })
    }
}

/// Makes the file, so that an error is known before the checks.
///
/// # Errors
/// If the file cannot be made.
pub(super) fn ensure_writable(path: &Path) -> Result<(), FileError> {
    let made = output_file::named(path).map(drop);
    made.map_err(|error| FileError::write(path, error))
}

/// Writes these records; `name` gives the names of their sites.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write<'a>(
    path: &Path,
    records: impl IntoIterator<Item = &'a CheckRecord>,
    threads: &'a [RanOn],
    name: impl Fn(SiteId) -> Option<&'a Box<str>>,
) -> Result<(), FileError> {
    let written = output_file::named(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        write_chrome(&mut file, records, threads, |site| {
            name(site).map_or_else(|| site.to_string(), ToString::to_string)
        })?;
        file.flush()
    });
    written.map_err(|error| FileError::write(path, error))
}
