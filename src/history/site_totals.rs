//! Totals of all sites over a span: the figures that [`super::Queries`] has of one site, read
//! for all in one pass.
//!
//! The span is cut into the longest buckets that fit, days in its middle and shorter ones at its
//! ends, and each is read once for all sites: a table of rollups is ordered by time, so a year
//! of a thousand sites is 365 runs of a thousand rows.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::domain::Timestamp;

use super::outage_spans::{OutageSpans, lasted_column};
use super::packed_days;
use super::read_only::{HistoryReadError, ReadOnlyHistory};
use super::rows::SiteKey;
use super::span_start::{begin_of, first_bucket};
use super::time_buckets::{BucketSize, EncodedRollup, Rollup};

/// The totals of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteTotals {
    /// The key of the site.
    pub site: SiteKey,
    /// The sum of all checks of the site.
    pub sum: Rollup,
    /// The totals of its outages within the span.
    pub outages: OutageTotals,
    /// Its checks by bucket, the oldest first: the beginning in seconds since 1970, and the
    /// rollup. Buckets without checks are left out.
    pub cells: Vec<(i64, EncodedRollup)>,
}

/// The totals of outages in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutageTotals {
    /// Outages that began in the span or lasted into it.
    pub count: u64,
    /// How long the site was down within the span: the time of its outages that was seen, and
    /// was not in planned maintenance; all of their time on days of earlier versions, which did
    /// not store what was seen.
    pub downtime: Duration,
    /// The outages that ended in the span.
    pub ended: u64,
    /// The sum of their durations, each from its first failure on.
    pub repairs: Duration,
    /// The outages that are open.
    pub open: u64,
}

impl OutageTotals {
    /// The mean time to recovery of the ended outages; `None` without one.
    #[must_use]
    pub fn mean_repair(&self) -> Option<Duration> {
        let ended = u32::try_from(self.ended).unwrap_or(u32::MAX);
        (ended > 0).then(|| self.repairs / ended)
    }

    /// Adds the totals of another site.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.downtime += other.downtime;
        self.ended += other.ended;
        self.repairs += other.repairs;
        self.open += other.open;
    }
}

/// A site while its rows are read.
#[derive(Default)]
struct Tally {
    sum: Rollup,
    /// Outages, with the whole of their time as far as no other is stored.
    outages: OutageTotals,
    /// Microseconds in outages, where that is stored.
    down_us: u64,
    /// Buckets that have a rollup in the file, the oldest first.
    cells: Vec<(i64, EncodedRollup)>,
    /// Buckets put together from shorter ones, at the ends of the span.
    parts: BTreeMap<i64, Rollup>,
}

impl Tally {
    /// All buckets, the oldest first.
    fn take_cells(&mut self) -> Vec<(i64, EncodedRollup)> {
        let mut cells = std::mem::take(&mut self.cells);
        for (start, mut sum) in std::mem::take(&mut self.parts) {
            let place = cells.partition_point(|(known, _)| *known < start);
            match cells.get_mut(place).filter(|(known, _)| *known == start) {
                Some((_, cell)) => {
                    cell.add_to(&mut sum);
                    *cell = EncodedRollup::from(&sum);
                }
                None => cells.insert(place, (start, EncodedRollup::from(&sum))),
            }
        }
        cells
    }
}

impl ReadOnlyHistory {
    /// The totals of every site in the `span` up to now; with `cells`, those of each bucket of
    /// that size as well. The span is exact where raw results are kept from its beginning on, which
    /// else is rounded up to five minutes. Sites without any row are left out.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn survey(
        &self,
        span: Duration,
        cells: Option<BucketSize>,
    ) -> Result<Vec<SiteTotals>, HistoryReadError> {
        self.plain_error((|| {
            // One snapshot of the file for all queries, whatever a monitor writes meanwhile.
            let transaction = self.connection.unchecked_transaction()?;
            let begin = begin_of(&self.connection, span, self.now)?;
            let (from, end) = (first_bucket(begin), self.now.as_micros());
            let mut tallies = HashMap::new();
            let rolled = self.rolled.unwrap_or(from).max(from);
            self.add(BucketSize::Day, from, rolled, cells, &mut tallies)?;
            let head = (begin, end.min(from * 1_000_000 - 1));
            for bounds in [head, (rolled * 1_000_000, end)] {
                self.add_raw_results(bounds, begin, cells, &mut tallies)?;
            }
            self.add_outages(begin, &mut tallies)?;
            let named = self.name(tallies)?;
            transaction.finish()?;
            Ok(named)
        })())
    }

    /// The beginning of a span as it is reported on.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn begin_of(&self, span: Duration) -> Result<Timestamp, HistoryReadError> {
        let begin = begin_of(&self.connection, span, self.now);
        self.plain_error(begin.map(Timestamp::from_micros))
    }

    /// Adds the checks of `from..to`, in seconds since 1970, from the longest buckets that fit.
    fn add(
        &self,
        level: BucketSize,
        from: i64,
        to: i64,
        cells: Option<BucketSize>,
        tallies: &mut HashMap<i64, Tally>,
    ) -> rusqlite::Result<()> {
        if from >= to {
            return Ok(());
        }
        let (first, last) = (level.ceil(from), level.floor(to));
        let below = level.below();
        // A bucket longer than the wanted ones cannot be split.
        let too_long = cells.is_some_and(|cells| level > cells);
        if let Some(below) = below.filter(|_| first >= last || too_long) {
            return self.add(below, from, to, cells, tallies);
        }
        if first >= last {
            return Ok(());
        }
        let due = self.due(level, first, last)?;
        let mut start = first;
        for wanting in due.into_iter().chain([last]) {
            self.add_rows(level, start, wanting, cells, tallies)?;
            start = wanting + level.seconds();
            if let Some(below) = below.filter(|_| wanting < last) {
                // Ended and not rolled up yet: the shorter buckets have it.
                self.add(below, wanting, start, cells, tallies)?;
            }
        }
        if let Some(below) = below {
            self.add(below, from, first, cells, tallies)?;
            self.add(below, last, to, cells, tallies)?;
        }
        Ok(())
    }

    /// The buckets that are still to be rolled up, the oldest first.
    fn due(&self, level: BucketSize, from: i64, to: i64) -> rusqlite::Result<Vec<i64>> {
        if level == BucketSize::FiveMinutes {
            // Their results may be deleted: the last rollup stands.
            return Ok(Vec::new());
        }
        let mut query = self.connection.prepare_cached(
            "SELECT start FROM due_rollups WHERE level = ?1 AND start >= ?2 AND start < ?3
             ORDER BY start",
        )?;
        let rows = query.query_map((level as i64, from, to), |row| row.get(0))?;
        rows.collect()
    }

    fn add_rows(
        &self,
        level: BucketSize,
        from: i64,
        to: i64,
        cells: Option<BucketSize>,
        tallies: &mut HashMap<i64, Tally>,
    ) -> rusqlite::Result<()> {
        if level == BucketSize::FiveMinutes && self.has_packed_days {
            let all_sites = (i64::MIN, i64::MAX);
            packed_days::each(
                &self.connection,
                (from, to),
                all_sites,
                |start, site, sum| {
                    let tally = tallies.entry(site).or_default();
                    tally.sum.merge(sum);
                    if start >= self.timed {
                        tally.down_us += sum.time.down_us;
                    }
                    match cells {
                        Some(cells) if cells == level => {
                            tally.cells.push((start, EncodedRollup::from(sum)));
                        }
                        Some(cells) => {
                            let part = tally.parts.entry(cells.floor(start)).or_default();
                            part.merge(sum);
                        }
                        None => {}
                    }
                },
            )?;
        }
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT start, site, {} FROM {} WHERE start >= ?1 AND start < ?2 ORDER BY start",
            self.columns(),
            level.table()
        ))?;
        let mut rows = query.query((from, to))?;
        while let Some(row) = rows.next()? {
            let start = row.get(0)?;
            let tally = tallies.entry(row.get(1)?).or_default();
            let before = tally.sum.time.down_us;
            tally.sum.add_row(row, 2, level)?;
            if start >= self.timed {
                tally.down_us += tally.sum.time.down_us - before;
            }
            match cells {
                Some(cells) if cells == level => {
                    tally
                        .cells
                        .push((start, EncodedRollup::of_row(row, 2, level)?));
                }
                Some(cells) => {
                    let part = tally.parts.entry(cells.floor(start)).or_default();
                    part.add_row(row, 2, level)?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Adds raw results of a stretch, in microseconds, that are not rolled up: of the time before each
    /// what lies after `begin`.
    fn add_raw_results(
        &self,
        bounds: (i64, i64),
        begin: i64,
        cells: Option<BucketSize>,
        tallies: &mut HashMap<i64, Tally>,
    ) -> rusqlite::Result<()> {
        let cell = |at: i64| cells.map(|cells| cells.floor(at.div_euclid(1_000_000)));
        let time = self.time_columns();
        let bounds_and_begin = (bounds.0, bounds.1, begin);
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT at, site, reason, latency_us, {time} FROM results
             WHERE at >= ?1 AND at <= ?2 ORDER BY at"
        ))?;
        let outages = OutageSpans::around(&self.connection, None, bounds)?.believed()?;
        let mut rows = query.query(bounds_and_begin)?;
        while let Some(row) = rows.next()? {
            let (at, site) = (row.get(0)?, row.get(1)?);
            let tally = tallies.entry(site).or_default();
            let before = tally.sum.time.down_us;
            tally.sum.add_result(row, (site, at), 2, &outages)?;
            if at.div_euclid(1_000_000) >= self.timed {
                tally.down_us += tally.sum.time.down_us - before;
            }
            if let Some(cell) = cell(at) {
                let part = tally.parts.entry(cell).or_default();
                part.add_result(row, (site, at), 2, &outages)?;
            }
        }
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT at, site, {time} FROM missed WHERE at >= ?1 AND at <= ?2"
        ))?;
        let mut rows = query.query(bounds_and_begin)?;
        while let Some(row) = rows.next()? {
            let (at, site) = (row.get(0)?, row.get(1)?);
            let tally = tallies.entry(site).or_default();
            let before = tally.sum.time.down_us;
            tally.sum.add_missed(row, (site, at), 2, &outages)?;
            if at.div_euclid(1_000_000) >= self.timed {
                tally.down_us += tally.sum.time.down_us - before;
            }
            if let Some(cell) = cell(at) {
                let part = tally.parts.entry(cell).or_default();
                part.add_missed(row, (site, at), 2, &outages)?;
            }
        }
        Ok(())
    }

    fn add_outages(&self, begin: i64, tallies: &mut HashMap<i64, Tally>) -> rusqlite::Result<()> {
        let from = Timestamp::from_micros(begin);
        let timed = Timestamp::from_micros(self.timed.saturating_mul(1_000_000));
        let lasted = lasted_column(&self.connection)?;
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT site, since, ended, {lasted} FROM outages
             WHERE ended IS NULL OR ended > ?1"
        ))?;
        let mut rows = query.query([from.as_micros()])?;
        while let Some(row) = rows.next()? {
            let outages = &mut tallies.entry(row.get(0)?).or_default().outages;
            let since = Timestamp::from_micros(row.get(1)?);
            let ended = row.get::<_, Option<i64>>(2)?.map(Timestamp::from_micros);
            let lasted = row.get::<_, Option<u64>>(3)?.map(Duration::from_micros);
            let until = ended.unwrap_or(self.now);
            outages.count += 1;
            outages.downtime += until.min(timed).since(since.max(from));
            match ended {
                Some(ended) => {
                    outages.ended += 1;
                    outages.repairs += lasted.unwrap_or_else(|| ended.since(since));
                }
                None => outages.open += 1,
            }
        }
        Ok(())
    }

    fn name(&self, mut tallies: HashMap<i64, Tally>) -> rusqlite::Result<Vec<SiteTotals>> {
        let mut query = self
            .connection
            .prepare_cached("SELECT id, name, url FROM sites ORDER BY name, url")?;
        let mut rows = query.query([])?;
        let mut surveys = Vec::with_capacity(tallies.len());
        while let Some(row) = rows.next()? {
            let Some(mut tally) = tallies.remove(&row.get(0)?) else {
                continue;
            };
            tally.outages.downtime += Duration::from_micros(tally.down_us);
            surveys.push(SiteTotals {
                site: SiteKey {
                    name: row.get(1)?,
                    url: row.get(2)?,
                },
                cells: tally.take_cells(),
                sum: tally.sum,
                outages: tally.outages,
            });
        }
        Ok(surveys)
    }

    /// The wall clock when the file was opened.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }
}
