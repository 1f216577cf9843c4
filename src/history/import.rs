//! Import of results: those of an export, and those of other monitors.
//!
//! A result that is stored already is not counted again, so the same file may be imported twice.
//! Old results are rolled up at once, before retention deletes them; a rollup that counts more
//! checks than there are rows stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::domain::{Cause, SeenTime, Timestamp};

use super::compact::{OfflineHistory, OfflineHistoryError};
use super::outage_rows::{json, mark_due};
use super::raw_results::RawCheck;
use super::reason_codes;
use super::rollup::Roller;
use super::rows::SiteKey;
use super::store::millis;
use super::time_buckets::BucketSize;

/// Rows of one transaction.
const BATCH: usize = 10_000;

/// The most microseconds by which a row moves to a free time before it is dropped.
const MOST_SHIFT: i64 = 1_000;

/// The times between two results that are remembered of a site.
const MOST_GAPS: usize = 15;

/// The result of a check to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCheck {
    /// The key of the site that the rows belong to.
    pub site: SiteKey,
    /// The time of the result.
    pub at: Timestamp,
    /// The result; `None` for a check that was missed.
    pub check: Option<RawCheck>,
    /// The time of the site since its row before, as far as it was seen; `None` where the file
    /// does not say.
    pub time: Option<SeenTime>,
}

/// An outage found in imported results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedOutage {
    /// The site's row in this file.
    pub site: i64,
    /// The time of the first failure.
    pub since: Timestamp,
    /// The time of the failure that confirmed it.
    pub confirmed: Timestamp,
    /// The time of the first good check after it.
    pub ended: Timestamp,
    /// All ways in which the site failed, the first one first.
    pub causes: Vec<Cause>,
}

/// The totals of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportTotals {
    /// Results that are stored now.
    pub new: u64,
    /// Results that were stored already.
    pub known: u64,
    /// Results with a time in the future; they are not stored.
    pub future: u64,
    /// The times of the first and of the last new result; `None` without one.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The rows of the sites that new results are of.
    pub sites: BTreeSet<i64>,
}

/// An import in progress.
#[derive(Debug)]
pub struct HistoryImport {
    file: OfflineHistory,
    waiting: Vec<ImportedCheck>,
    ids: HashMap<SiteKey, i64>,
    /// How often each site was checked.
    pace: HashMap<SiteKey, Pace>,
    imported: ImportTotals,
}

impl HistoryImport {
    /// Begins an import into this file.
    #[must_use]
    pub fn new(file: OfflineHistory) -> Self {
        Self {
            file,
            waiting: Vec::with_capacity(BATCH),
            ids: HashMap::new(),
            pace: HashMap::new(),
            imported: ImportTotals::default(),
        }
    }

    /// Takes one result; writes when enough have come together.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, mut row: ImportedCheck) -> Result<(), OfflineHistoryError> {
        if row.at > self.file.now {
            self.imported.future += 1;
            return Ok(());
        }
        if !self.pace.contains_key(&row.site) {
            self.pace.insert(row.site.clone(), Pace::default());
        }
        if let Some(pace) = self.pace.get_mut(&row.site) {
            let seen = pace.seen(row.at);
            row.time.get_or_insert(SeenTime {
                seen,
                maintenance: Duration::ZERO,
            });
        }
        self.waiting.push(row);
        if self.waiting.len() == BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OfflineHistoryError> {
        let rows = std::mem::take(&mut self.waiting);
        let rolled = self.file.store.rolled;
        let done = (|| {
            let connection = &self.file.store.connection;
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            for row in &rows {
                let site = id(&transaction, &mut self.ids, &row.site)?;
                let kept = keep(&transaction, site, row)?;
                // Known ones too: an import that was killed may not have got to their rollup.
                let at = kept.unwrap_or_else(|| row.at.as_micros());
                let period = BucketSize::FiveMinutes.floor(at.div_euclid(1_000_000));
                if rolled.is_some_and(|rolled| period < rolled) {
                    transaction
                        .prepare_cached("INSERT OR IGNORE INTO due_rollups VALUES (0, ?1)")?
                        .execute([period])?;
                }
                if kept.is_none() {
                    self.imported.known += 1;
                    continue;
                }
                self.imported.new += 1;
                self.imported.sites.insert(site);
                let at = Timestamp::from_micros(at);
                let (first, last) = self.imported.span.unwrap_or((at, at));
                self.imported.span = Some((first.min(at), last.max(at)));
            }
            transaction.commit()
        })();
        self.waiting = rows;
        self.waiting.clear();
        self.file.plain_error(done)
    }

    /// Rolls up what was imported.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<(ImportTotals, OfflineHistory), OfflineHistoryError> {
        self.flush()?;
        let done = self.file.roll_up();
        self.file.plain_error(done)?;
        Ok((self.imported, self.file))
    }
}

/// How often a site was checked, for files that do not say how much of the time was seen: that
/// between two results is, unless it is much longer than usual.
#[derive(Debug, Default)]
struct Pace {
    last: Option<Timestamp>,
    /// The latest times between two results.
    gaps: VecDeque<Duration>,
}

impl Pace {
    /// The time before a result that was seen.
    fn seen(&mut self, at: Timestamp) -> Duration {
        let Some(last) = self.last.replace(at) else {
            return Duration::ZERO;
        };
        let gap = at.since(last);
        if gap.is_zero() {
            // Twice the same, or out of order.
            self.last = Some(at.max(last));
            return gap;
        }
        let mut known: Vec<Duration> = self.gaps.iter().copied().collect();
        known.sort_unstable();
        let usual = known.get(known.len() / 2).copied().unwrap_or(gap);
        if self.gaps.len() == MOST_GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
        // As with a site's own interval: more than two without a result were not seen.
        if gap <= usual * 2 {
            gap
        } else {
            Duration::ZERO
        }
    }
}

/// The row of a site, created where there is none.
fn id(
    transaction: &Transaction<'_>,
    known: &mut HashMap<SiteKey, i64>,
    key: &SiteKey,
) -> rusqlite::Result<i64> {
    if let Some(id) = known.get(key) {
        return Ok(*id);
    }
    let id = transaction
        .prepare_cached("SELECT id FROM sites WHERE name = ?1 AND url = ?2")?
        .query_row((&key.name, &key.url), |row| row.get(0))
        .optional()?;
    let id = match id {
        Some(id) => id,
        None => transaction
            .prepare_cached("INSERT INTO sites (name, url) VALUES (?1, ?2)")?
            .insert((&key.name, &key.url))?,
    };
    known.insert(key.clone(), id);
    Ok(id)
}

/// Writes a result at its time, or at the next free microsecond; `None` if it is there already.
fn keep(
    transaction: &Transaction<'_>,
    site: i64,
    row: &ImportedCheck,
) -> rusqlite::Result<Option<i64>> {
    let first = row.at.as_micros();
    let (seen, maintenance) = row.time.as_ref().map(millis).unzip();
    let Some(check) = &row.check else {
        let mut find = transaction.prepare_cached("SELECT site FROM missed WHERE at = ?1")?;
        for at in first..first.saturating_add(MOST_SHIFT) {
            match find
                .query_row([at], |row| row.get::<_, i64>(0))
                .optional()?
            {
                Some(known) if known == site => return Ok(None),
                Some(_) => {}
                None => {
                    transaction
                        .prepare_cached("INSERT INTO missed VALUES (?1, ?2, ?3, ?4)")?
                        .execute((at, site, seen, maintenance))?;
                    return Ok(Some(at));
                }
            }
        }
        return Ok(None);
    };
    let reason = i64::from(reason_codes::code(check.reason));
    let latency = i64::try_from(check.latency.as_micros()).unwrap_or(i64::MAX);
    let late = i64::try_from(check.late.as_millis()).unwrap_or(i64::MAX);
    let mut find = transaction.prepare_cached(
        "SELECT site = ?2 AND reason = ?3 AND status IS ?4 AND latency_us = ?5 AND late_ms = ?6
         FROM results WHERE at = ?1",
    )?;
    for at in first..first.saturating_add(MOST_SHIFT) {
        let values = params![at, site, reason, check.status, latency, late];
        match find.query_row(values, |row| row.get(0)).optional()? {
            Some(true) => return Ok(None),
            Some(false) => {}
            None => {
                transaction
                    .prepare_cached(
                        "INSERT INTO results
                             (at, site, reason, status, latency_us, late_ms, seen_ms, maintenance_ms)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        at,
                        site,
                        reason,
                        check.status,
                        latency,
                        late,
                        seen,
                        maintenance
                    ])?;
                return Ok(Some(at));
            }
        }
    }
    Ok(None)
}

impl OfflineHistory {
    /// Rolls up what is due.
    fn roll_up(&mut self) -> rusqlite::Result<()> {
        let now = self.seconds();
        let mut roller = Roller::default();
        while roller.step(&mut self.store, now)? {}
        Ok(())
    }

    /// Stores outages found in imported results, without those that overlap a known outage of
    /// the site. Returns the number of new ones.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep_outages(&mut self, outages: &[ImportedOutage]) -> Result<u64, OfflineHistoryError> {
        let done = (|| {
            let connection = &self.store.connection;
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            let mut known: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
            {
                let mut query = transaction.prepare("SELECT site, since, ended FROM outages")?;
                let mut rows = query.query([])?;
                while let Some(row) = rows.next()? {
                    let ended = row.get::<_, Option<i64>>(2)?.unwrap_or(i64::MAX);
                    let spans = known.entry(row.get(0)?).or_default();
                    spans.push((row.get(1)?, ended));
                }
            }
            let mut new = 0;
            for outage in outages {
                let (since, ended) = (outage.since.as_micros(), outage.ended.as_micros());
                let spans = known.get(&outage.site).map_or(&[][..], Vec::as_slice);
                if spans.iter().any(|span| span.0 <= ended && span.1 >= since) {
                    continue;
                }
                new += transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO outages (site, since, confirmed, ended, causes)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute((
                        outage.site,
                        since,
                        outage.confirmed.as_micros(),
                        ended,
                        json(&outage.causes)?,
                    ))? as u64;
                // What was rolled up of these days did not know of it.
                mark_due(&transaction, (since, ended), self.store.rolled)?;
            }
            transaction.commit()?;
            self.roll_up()?;
            Ok(new)
        })();
        self.plain_error(done)
    }
}
