//! Opens the history and the configuration for `report`, `history` and `replay`.

use std::io;
use std::path::PathBuf;

use crate::config::{self, Config, SecretUse};
use crate::domain::{Clock, SystemClock, clean};
use crate::history::ReadOnlyHistory;

use super::exit::{Exit, fail};
use super::history_args::HistoryFileArgs;
use super::site_source;

/// The configuration that the command line names, or that is found; `None` if there is none: the
/// history can be read without.
pub(super) fn config(args: &HistoryFileArgs) -> Result<Option<Config>, Exit> {
    let explicit = args.source.config.as_deref();
    if explicit.is_none() && config::find(None).is_err() {
        return Ok(None);
    }
    site_source::load(explicit, SecretUse::Unused).map(Some)
}

/// The path of the history file.
pub(super) fn path(args: &HistoryFileArgs) -> Result<PathBuf, Exit> {
    match &args.history {
        Some(word) if word.as_os_str() == "none" => Err(fail(
            "--history none: nothing is kept, so there is nothing to read",
        )),
        Some(path) => Ok(path.clone()),
        None => config::state_dir()
            .map(|folder| folder.join("history.db"))
            .ok_or_else(|| fail("no state directory: name the file with --history FILE")),
    }
}

/// The history, opened for reading.
pub(super) fn archive(args: &HistoryFileArgs) -> Result<ReadOnlyHistory, Exit> {
    let path = path(args)?;
    ReadOnlyHistory::open(&path, SystemClock::new().timestamp()).map_err(fail)
}

/// The I/O error in an error of CSV output, so that a closed pipe is recognised.
pub(super) fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// A text as a CSV cell that no spreadsheet takes for a formula: one that begins with `=`, `+`,
/// `-` or `@` gets an apostrophe in front (OWASP, "CSV Injection").
pub(super) fn harmless(text: &str) -> String {
    let text = clean(text, 2_000);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_texts() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'=1"),
            ("a-b", "a-b"),
            ("\u{202e}-x", "'-x"),
        ] {
            assert_eq!(harmless(text), cell);
        }
    }
}
