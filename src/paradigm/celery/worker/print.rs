//! Prints a line for each task on standard output.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::domain::{CheckResult, Timestamp, brief, clean};

use super::super::timestamps;
use super::options::LineFormat;

/// Prints tasks as they end. An output without a reader is no error.
#[derive(Debug)]
pub(super) struct Printer {
    lines: LineFormat,
}

impl Printer {
    pub(super) const fn new(lines: LineFormat) -> Self {
        Self { lines }
    }

    /// Prints the result of a check.
    pub(super) fn result(&self, id: &str, url: &str, result: &CheckResult, note: &str) {
        let status = result.status;
        self.line(
            || {
                json!({
                    "task_id": clean(id, 255), "url": url, "state": "done",
                    "verdict": result.verdict.word(), "status": status,
                    "latency_ms": result.latency.as_secs_f64() * 1e3, "note": note,
                })
            },
            || {
                let code = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
                let verdict = result.verdict.word();
                format!(
                    "{verdict:<9} {code:>4} {:>8}  {url}  {note}",
                    brief(result.latency)
                )
            },
        );
    }

    /// Prints a task that gave no result: `state` is "refused" or "revoked".
    pub(super) fn other(&self, id: &str, url: &str, state: &str, why: &str) {
        self.line(
            || {
                json!({
                    "task_id": clean(id, 255), "url": url, "state": state, "note": clean(why, 400),
                })
            },
            || format!("{state:<9}    -        -  {url}  {}", clean(why, 400)),
        );
    }

    fn line(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        let at = timestamps::write(Timestamp::from(std::time::SystemTime::now()));
        let line = match self.lines {
            LineFormat::Json => {
                let mut object = json();
                object["at"] = at.into();
                object.to_string()
            }
            LineFormat::Text => format!("{at}  {}", text().trim_end()),
        };
        let _unheard = writeln!(std::io::stdout(), "{line}");
    }
}
