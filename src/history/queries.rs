//! Queries about one site: uptime, latency over a span, a bar of days, outages; and about the
//! file: its size and growth.
//!
//! A query reads rollups, the longest that fit first, and raw results only of the last minutes:
//! for a year it reads a few hundred rows, however many checks there were.

use std::cell::Cell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{OptionalExtension as _, Row, params};

use crate::domain::Timestamp;

use super::growth::{self, Growth};
use super::open::{is_damage, plain};
use super::outage_spans::OutageSpans;
use super::packed_days;
use super::rows::{OutageRow, SiteKey};
use super::span_start::{TIME_AFTER, begin_of, first_bucket};
use super::store::{Store, acknowledged};
use super::time_buckets::{BucketSize, COLUMNS, Rollup};

/// Why a query has no answer: an error of SQLite in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError(pub String);

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the history cannot be read: {}", self.0)
    }
}

impl std::error::Error for QueryError {}

/// One stretch of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartPoint {
    /// The start of the span.
    pub start: Timestamp,
    /// The length of the span.
    pub length: Duration,
    /// The rollup of its checks; empty where there were none.
    pub sum: Rollup,
}

/// The size and the growth of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileStats {
    /// The path; `None` while the history is in memory only.
    pub path: Option<PathBuf>,
    /// Bytes on the disk, the write-ahead log included.
    pub bytes: u64,
    /// The time of the oldest raw result; `None` without one.
    pub oldest: Option<Timestamp>,
    /// The growth over at most 26 hours; `None` before it was measured for ten minutes.
    pub growth: Option<Growth>,
}

/// The history, open for queries. Lent to a closure on the history's own thread.
#[derive(Debug)]
pub struct Queries<'store> {
    pub(super) store: &'store Store,
    path: Option<&'store Path>,
    now: Timestamp,
    damaged: Cell<bool>,
}

impl<'store> Queries<'store> {
    pub(super) fn new(store: &'store Store, path: Option<&'store Path>, now: Timestamp) -> Self {
        Self {
            store,
            path,
            now,
            damaged: Cell::new(false),
        }
    }

    /// Whether a query found the file damaged.
    pub(super) fn damaged(&self) -> bool {
        self.damaged.get()
    }

    pub(super) fn checked<T>(&self, answer: rusqlite::Result<T>) -> Result<T, QueryError> {
        answer.map_err(|error| {
            if is_damage(&error) {
                self.damaged.set(true);
            }
            QueryError(plain(&error))
        })
    }

    /// The wall clock when the query began.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn id(&self, site: &SiteKey) -> rusqlite::Result<Option<i64>> {
        self.store
            .connection
            .prepare_cached("SELECT id FROM sites WHERE name = ?1 AND url = ?2")?
            .query_row((&site.name, &site.url), |row| row.get(0))
            .optional()
    }

    /// The rollup of a site's checks in the `span` up to now, the latest check included. The
    /// beginning is rounded up to five minutes where no raw results are kept of it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn total(&self, site: &SiteKey, span: Duration) -> Result<Rollup, QueryError> {
        self.checked((|| {
            let Some(site) = self.id(site)? else {
                return Ok(Rollup::default());
            };
            let begin = begin_of(&self.store.connection, span, self.now)?;
            let from = first_bucket(begin);
            let mut sum = Rollup::default();
            let rolled = self.store.rolled.unwrap_or(from).max(from);
            self.add(site, BucketSize::Day, from, rolled, &mut sum)?;
            for bounds in [(begin, from * 1_000_000), (rolled * 1_000_000, i64::MAX)] {
                self.add_raw_results(site, bounds, begin, &mut sum)?;
            }
            Ok(sum)
        })())
    }

    /// Adds the checks of `from..to`, in seconds since 1970, from the longest buckets that fit.
    fn add(
        &self,
        site: i64,
        level: BucketSize,
        from: i64,
        to: i64,
        sum: &mut Rollup,
    ) -> rusqlite::Result<()> {
        if from >= to {
            return Ok(());
        }
        let (first, last) = (level.ceil(from), level.floor(to));
        let below = level.below();
        if first >= last {
            return below.map_or(Ok(()), |below| self.add(site, below, from, to, sum));
        }
        let mut start = first;
        while start < last {
            if !self.add_period(site, level, start, sum)?
                && let Some(below) = below
                && self.is_due(level, start)?
            {
                // Ended and not rolled up yet: the shorter buckets have it.
                self.add(site, below, start, start + level.seconds(), sum)?;
            }
            start += level.seconds();
        }
        if let Some(below) = below {
            self.add(site, below, from, first, sum)?;
            self.add(site, below, last, to, sum)?;
        }
        Ok(())
    }

    fn is_due(&self, level: BucketSize, start: i64) -> rusqlite::Result<bool> {
        self.store
            .connection
            .prepare_cached("SELECT 1 FROM due_rollups WHERE level = ?1 AND start = ?2")?
            .exists((level as i64, start))
    }

    fn add_period(
        &self,
        site: i64,
        level: BucketSize,
        start: i64,
        sum: &mut Rollup,
    ) -> rusqlite::Result<bool> {
        let found = self
            .store
            .connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM {} WHERE start = ?1 AND site = ?2",
                level.table()
            ))?
            .query_row((start, site), |row| sum.add_row(row, 0, level))
            .optional()?;
        Ok(found.is_some()
            || level == BucketSize::FiveMinutes
                && packed_days::add(&self.store.connection, start, site, sum)?)
    }

    /// Adds raw results of a stretch, in microseconds, that are not rolled up: of the time before each
    /// what lies after `begin`.
    fn add_raw_results(
        &self,
        site: i64,
        span: (i64, i64),
        begin: i64,
        sum: &mut Rollup,
    ) -> rusqlite::Result<()> {
        const OF_SITE: &str = "WHERE at >= ?1 AND at < ?2 AND site = ?4";
        let (connection, bounds) = (&self.store.connection, (span.0, span.1, begin, site));
        let mut query = connection.prepare_cached(&format!(
            "SELECT at, reason, latency_us, {TIME_AFTER} FROM results {OF_SITE}"
        ))?;
        let outages = OutageSpans::around(connection, Some(site), span)?.believed()?;
        let mut rows = query.query(bounds)?;
        while let Some(row) = rows.next()? {
            sum.add_result(row, (site, row.get(0)?), 1, &outages)?;
        }
        let missed = format!("SELECT at, {TIME_AFTER} FROM missed {OF_SITE}");
        let mut query = connection.prepare_cached(&missed)?;
        let mut rows = query.query(bounds)?;
        while let Some(row) = rows.next()? {
            sum.add_missed(row, (site, row.get(0)?), 1, &outages)?;
        }
        Ok(())
    }

    /// The points of a chart over the last `span`, oldest first: buckets of five minutes up to
    /// 26 hours, of an hour up to 40 days, of a day beyond. The last one still grows.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn series(&self, site: &SiteKey, span: Duration) -> Result<Vec<ChartPoint>, QueryError> {
        let level = match span.as_secs() {
            0..=93_600 => BucketSize::FiveMinutes,
            93_601..=3_456_000 => BucketSize::Hour,
            _ => BucketSize::Day,
        };
        let now = self.now.as_micros().div_euclid(1_000_000);
        let span = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let from = level.floor(now.saturating_sub(span)) + level.seconds();
        self.points(site, level, from, now)
    }

    /// The last `days` days in UTC, oldest first, today included.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn days(&self, site: &SiteKey, days: u32) -> Result<Vec<ChartPoint>, QueryError> {
        let now = self.now.as_micros().div_euclid(1_000_000);
        let today = BucketSize::Day.floor(now);
        let from = today - (i64::from(days.max(1)) - 1) * BucketSize::Day.seconds();
        self.points(site, BucketSize::Day, from, now)
    }

    fn points(
        &self,
        site: &SiteKey,
        level: BucketSize,
        from: i64,
        now: i64,
    ) -> Result<Vec<ChartPoint>, QueryError> {
        self.checked((|| {
            let site = self.id(site)?;
            let rolled = self.store.rolled.unwrap_or(from);
            let mut points = Vec::new();
            let mut start = from;
            while start <= now {
                let end = start + level.seconds();
                let mut sum = Rollup::default();
                if let Some(site) = site {
                    self.add(site, level, start, end.min(rolled), &mut sum)?;
                    if end > rolled {
                        let bounds = (start.max(rolled) * 1_000_000, end * 1_000_000);
                        self.add_raw_results(site, bounds, 0, &mut sum)?;
                    }
                }
                points.push(ChartPoint {
                    start: Timestamp::from_micros(start * 1_000_000),
                    length: Duration::from_secs(level.seconds().unsigned_abs()),
                    sum,
                });
                start = end;
            }
            Ok(points)
        })())
    }

    /// The outages of one site or of all with their messages: open ones first, then by their
    /// begin, the newest first. At most `most`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn outages(
        &self,
        site: Option<&SiteKey>,
        most: usize,
    ) -> Result<Vec<OutageRow>, QueryError> {
        self.checked((|| {
            let id = match site {
                None => None,
                Some(site) => match self.id(site)? {
                    None => return Ok(Vec::new()),
                    id => id,
                },
            };
            let mut query = self.store.connection.prepare_cached(
                "SELECT o.id, s.name, s.url, o.since, o.confirmed, o.ended, o.causes, o.last_good,
                        o.acknowledged, o.note, o.lasted_us, o.untold
                 FROM outages o JOIN sites s ON s.id = o.site
                 WHERE ?1 IS NULL OR o.site = ?1
                 ORDER BY o.ended IS NOT NULL, o.since DESC LIMIT ?2",
            )?;
            let rows = query.query_map(params![id, most], outage)?;
            let mut outages = Vec::new();
            for row in rows {
                let (id, mut outage) = row?;
                outage.messages = self.told(id)?;
                outages.push(outage);
            }
            Ok(outages)
        })())
    }

    /// The file's path, size and growth.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn facts(&self) -> Result<FileStats, QueryError> {
        let (oldest, growth) = self.checked((|| {
            let connection = &self.store.connection;
            let oldest: Option<i64> =
                connection.query_row("SELECT min(at) FROM results", [], |row| row.get(0))?;
            let now = self.now.as_micros().div_euclid(1_000_000);
            Ok((oldest, growth::growth(connection, now)?))
        })())?;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = self.path.map_or(0, |path| {
            size(path) + size(&super::lock::beside(path, "-wal"))
        });
        Ok(FileStats {
            path: self.path.map(Path::to_owned),
            bytes,
            oldest: oldest.map(Timestamp::from_micros),
            growth,
        })
    }
}

fn outage(row: &Row<'_>) -> rusqlite::Result<(i64, OutageRow)> {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let outage = OutageRow {
        site: SiteKey {
            name: row.get(1)?,
            url: row.get(2)?,
        },
        since: Timestamp::from_micros(row.get(3)?),
        confirmed: Timestamp::from_micros(row.get(4)?),
        ended: time(row.get(5)?),
        lasted: row.get::<_, Option<u64>>(10)?.map(Duration::from_micros),
        causes: serde_json::from_str(row.get_ref(6)?.as_str()?).unwrap_or_default(),
        last_good: time(row.get(7)?),
        acknowledged: acknowledged(row.get(8)?, row.get(9)?),
        messages: Vec::new(),
        untold: (row.get_ref(11)?.as_str_or_null()?)
            .and_then(|text| serde_json::from_str(text).ok()),
    };
    Ok((row.get(0)?, outage))
}
