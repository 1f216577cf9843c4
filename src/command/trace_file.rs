//! `--trace FILE`: what every check of a sweep did, in a file that Perfetto opens.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::Site;
use crate::trace::{Ledger, Recorder, write_chrome};

/// Takes in what workers note, and writes it at the end.
#[derive(Debug)]
pub(super) struct TraceFile {
    path: PathBuf,
    recorder: Arc<Recorder>,
    ledger: Ledger,
}

impl TraceFile {
    /// Switches `recorder` on, for a file that can be made at `path`.
    ///
    /// # Errors
    /// If it cannot: said before the first check and not after the last.
    pub(super) fn begin(path: &Path, recorder: &Arc<Recorder>) -> io::Result<Self> {
        File::create(path)?;
        recorder.switch(true);
        Ok(Self {
            path: path.to_owned(),
            recorder: Arc::clone(recorder),
            ledger: Ledger::new(),
        })
    }

    /// Takes in what was noted since.
    pub(super) fn absorb(&mut self) {
        self.ledger.absorb(self.recorder.fetch());
    }

    /// Writes it all.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub(super) fn finish(mut self, sites: &[Site]) -> io::Result<()> {
        self.absorb();
        let mut file = BufWriter::new(File::create(&self.path)?);
        let (ledger, threads) = (&self.ledger, self.recorder.roster());
        write_chrome(&mut file, ledger.all(), &threads, |site| {
            let known = sites.get(site.index());
            known.map_or_else(|| site.to_string(), |site| site.name.to_string())
        })?;
        file.flush()
    }
}
