//! Raw results in the order of time, passed one by one: a reader of ten million holds none of
//! them.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use rusqlite::Row;

use crate::domain::{Reason, SeenTime, Timestamp};

use super::read_only::{HistoryReadError, ReadOnlyHistory};
use super::reason_codes;
use super::rows::SiteKey;

/// Rows that are read at a time where a reader may be slow: the file is not held while they are
/// passed on, so that a monitor can truncate its log meanwhile.
const ROWS_PER_READ: usize = 10_000;

/// The result of one check, or a check that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawResult {
    /// The time of the result, or of the miss; no two rows have the same.
    pub at: Timestamp,
    /// The site's row in this file.
    pub site: i64,
    /// The result; `None` for a check that was missed.
    pub check: Option<RawCheck>,
    /// The time of the site since its row before, as far as it was seen; `None` where an
    /// earlier version has not stored it.
    pub time: Option<SeenTime>,
}

/// The result of one check, as much of it as is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCheck {
    /// The reason; `None` if the site was simply up.
    pub reason: Option<Reason>,
    /// The HTTP status of the response, if one came.
    pub status: Option<u16>,
    /// The latency of the whole check.
    pub latency: Duration,
    /// The time from when the check was due until it started.
    pub late: Duration,
}

impl ReadOnlyHistory {
    /// All sites of the file, by their row.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn sites(&self) -> Result<HashMap<i64, SiteKey>, HistoryReadError> {
        self.plain_error((|| {
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

    /// The beginning of a span up to now, in microseconds since 1970.
    fn begin(&self, span: Option<Duration>) -> i64 {
        span.map_or(i64::MIN, |span| {
            let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            self.now.as_micros().saturating_sub(span)
        })
    }

    /// Passes the results of the `span` up to now, or all, the oldest first, in one query, until
    /// `pass` breaks.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn results(
        &self,
        span: Option<Duration>,
        mut pass: impl FnMut(i64, Timestamp, RawCheck) -> ControlFlow<()>,
    ) -> Result<(), HistoryReadError> {
        self.plain_error((|| {
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

    /// Passes the results of the `span` up to now, or all, missed checks included, the oldest
    /// first, some at a time.
    ///
    /// # Errors
    /// If the file cannot be read; an error of `pass` ends the reading.
    pub fn rows<E: From<HistoryReadError>>(
        &self,
        span: Option<Duration>,
        mut pass: impl FnMut(&RawResult) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = self.begin(span);
        loop {
            let mut rows = self.plain_error(self.some(from))?;
            let Some(last) = rows.last().map(|row| row.at) else {
                return Ok(());
            };
            let full = rows.len() == ROWS_PER_READ;
            if full && rows[0].at < last {
                // There may be another of the same time behind the last.
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
        let time = self.time_columns();
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT at, site, reason, status, latency_us, late_ms, {time} FROM results
             WHERE at >= ?1 AND at <= ?2
             UNION ALL SELECT at, site, NULL, NULL, NULL, NULL, {time} FROM missed
             WHERE at >= ?1 AND at <= ?2 ORDER BY at LIMIT ?3"
        ))?;
        let rows = query.query_map((from, self.now.as_micros(), ROWS_PER_READ), |row| {
            let missed = row.get::<_, Option<i64>>(2)?.is_none();
            Ok(RawResult {
                at: Timestamp::from_micros(row.get(0)?),
                site: row.get(1)?,
                check: (!missed).then(|| check(row)).transpose()?,
                time: time_before(row)?,
            })
        })?;
        rows.collect()
    }
}

/// Reads the columns from `seen_ms` on.
fn time_before(row: &Row<'_>) -> rusqlite::Result<Option<SeenTime>> {
    let maintenance = row.get::<_, Option<u64>>(7)?.unwrap_or(0);
    let seen = row.get::<_, Option<u64>>(6)?;
    Ok(seen.map(|seen| SeenTime {
        seen: Duration::from_millis(seen),
        maintenance: Duration::from_millis(maintenance),
    }))
}

/// Reads the columns from `reason` on.
pub(super) fn check(row: &Row<'_>) -> rusqlite::Result<RawCheck> {
    Ok(RawCheck {
        reason: reason_codes::reason(row.get(2)?),
        status: row.get(3)?,
        latency: Duration::from_micros(row.get(4)?),
        late: Duration::from_millis(row.get(5)?),
    })
}
