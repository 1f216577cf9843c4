//! Entry points for `tests/fuzz.rs`: files that subcommands read, without a file.

use std::path::Path;

use crate::history::ImportedCheck;

use super::exit::shown;
use super::history_import;

/// The results in an exported history, JSON or CSV, and the mistake that ended the reading, as it
/// is printed.
#[must_use]
pub fn history_lines(bytes: &[u8], is_csv: bool) -> (Vec<ImportedCheck>, Option<String>) {
    let mut rows = Vec::new();
    let mut take = |row| {
        rows.push(row);
        Ok(())
    };
    let read = if is_csv {
        history_import::csv(bytes, Path::new("history.csv"), &mut take)
    } else {
        history_import::jsonl(bytes, Path::new("history.jsonl"), &mut take)
    };
    (rows, read.err().map(shown))
}
