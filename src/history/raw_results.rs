//! Raw results as they stand in the file, in the order of time: one after another, so that
//! whoever reads ten million of them holds none.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use rusqlite::Row;

use crate::domain::{Reason, Timestamp};

use super::read_only::{HistoryReadError, ReadOnlyHistory};
use super::reason_codes;
use super::rows::SiteKey;

/// Rows that are read at a time where a reader may be slow: nothing is held of the file while
/// they are passed on, so that a monitor's log can be worked in meanwhile.
const AT_A_TIME: usize = 10_000;

/// One look, or one that could not be started in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawResult {
    /// When its answer reached the monitor, or it was missed; no two have the same.
    pub at: Timestamp,
    /// The number of its site in this file.
    pub site: i64,
    /// What was found; `None` for one that was missed.
    pub check: Option<RawCheck>,
}

/// What one look found, as much of it as is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCheck {
    /// Why it is not simply up.
    pub reason: Option<Reason>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The whole look.
    pub latency: Duration,
    /// How long after it was due it was started.
    pub late: Duration,
}

impl ReadOnlyHistory {
    /// Every site that was ever watched, by its number in this file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn sites(&self) -> Result<HashMap<i64, SiteKey>, HistoryReadError> {
        self.plainly((|| {
            let mut query = self
                .connection
                .prepare_cached("SELECT id, name, url FROM sites")?;
            let rows = query.query_map([], |row| {
                let key = SiteKey {
                    name: row.get(1)?,
                    url: row.get(2)?,
                };
                Ok((row.get(0)?, key))
            })?;
            rows.collect()
        })())
    }

    /// The beginning of a span up to now.
    fn begin(&self, span: Option<Duration>) -> i64 {
        span.map_or(i64::MIN, |span| {
            let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            self.now.as_micros().saturating_sub(span)
        })
    }

    /// Passes on the looks of the `span` up to now, or all, oldest first, in one reading,
    /// until `pass` has seen enough.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn results(
        &self,
        span: Option<Duration>,
        mut pass: impl FnMut(i64, Timestamp, RawCheck) -> ControlFlow<()>,
    ) -> Result<(), HistoryReadError> {
        self.plainly((|| {
            let mut query = self.connection.prepare_cached(
                "SELECT at, site, reason, status, latency_us, late_ms FROM results
                 WHERE at >= ?1 AND at <= ?2 ORDER BY at",
            )?;
            let mut rows = query.query((self.begin(span), self.now.as_micros()))?;
            while let Some(row) = rows.next()? {
                let at = Timestamp::from_micros(row.get(0)?);
                if pass(row.get(1)?, at, check(row)?).is_break() {
                    break;
                }
            }
            Ok(())
        })())
    }

    /// Passes on the looks of the `span` up to now, or all, and those that were missed among
    /// them, oldest first, some at a time.
    ///
    /// # Errors
    /// If the file cannot be read; what `pass` gives ends the reading.
    pub fn rows<E: From<HistoryReadError>>(
        &self,
        span: Option<Duration>,
        mut pass: impl FnMut(&RawResult) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = self.begin(span);
        loop {
            let mut rows = self.plainly(self.some(from))?;
            let Some(last) = rows.last().map(|row| row.at) else {
                return Ok(());
            };
            let full = rows.len() == AT_A_TIME;
            if full && rows[0].at < last {
                // Another of the same moment may be behind the last.
                rows.retain(|row| row.at < last);
            }
            for row in &rows {
                pass(row)?;
            }
            if !full {
                return Ok(());
            }
            from = rows.last().map_or(last, |row| row.at).as_micros() + 1;
        }
    }

    fn some(&self, from: i64) -> rusqlite::Result<Vec<RawResult>> {
        let mut query = self.connection.prepare_cached(
            "SELECT at, site, reason, status, latency_us, late_ms FROM results
             WHERE at >= ?1 AND at <= ?2
             UNION ALL SELECT at, site, NULL, NULL, NULL, NULL FROM missed
             WHERE at >= ?1 AND at <= ?2 ORDER BY at LIMIT ?3",
        )?;
        let rows = query.query_map((from, self.now.as_micros(), AT_A_TIME), |row| {
            let missed = row.get::<_, Option<i64>>(2)?.is_none();
            Ok(RawResult {
                at: Timestamp::from_micros(row.get(0)?),
                site: row.get(1)?,
                check: (!missed).then(|| check(row)).transpose()?,
            })
        })?;
        rows.collect()
    }
}

/// The columns from `reason` on.
fn check(row: &Row<'_>) -> rusqlite::Result<RawCheck> {
    Ok(RawCheck {
        reason: reason_codes::reason(row.get(2)?),
        status: row.get(3)?,
        latency: Duration::from_micros(row.get(4)?),
        late: Duration::from_millis(row.get(5)?),
    })
}
