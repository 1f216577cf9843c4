//! Results from elsewhere: what was exported, and what other monitors kept.
//!
//! A result that is there already is not counted again, so the same file may be read twice.
//! Old ones are summed up at once, before retention takes them; where a summary knows of more
//! looks than there are rows, it is the better word and stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::domain::{Cause, Timestamp};

use super::compact::{OfflineHistory, OfflineHistoryError};
use super::raw_results::RawCheck;
use super::reason_codes;
use super::rollup::Roller;
use super::rows::SiteKey;
use super::store::json;
use super::time_buckets::BucketSize;

/// Rows of one transaction.
const BATCH: usize = 10_000;

/// How many rows of one microsecond step aside before one is dropped.
const MOST_STEPS: i64 = 1_000;

/// A look at a site, or one that was missed, from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedCheck {
    /// Which site.
    pub site: SiteKey,
    /// When.
    pub at: Timestamp,
    /// What was found; `None` for one that was missed.
    pub check: Option<RawCheck>,
}

/// An outage that results tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedOutage {
    /// The number of its site in this file.
    pub site: i64,
    /// The first failure.
    pub since: Timestamp,
    /// When it was confirmed.
    pub confirmed: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// All ways in which it failed.
    pub causes: Vec<Cause>,
}

/// What became of rows from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportTotals {
    /// Taken.
    pub new: u64,
    /// Known already.
    pub known: u64,
    /// Later than now: nobody can have seen them.
    pub future: u64,
    /// The first and the last of the new ones.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The numbers of the sites that new ones are of.
    pub sites: BTreeSet<i64>,
}

/// An import under way.
#[derive(Debug)]
pub struct HistoryImport {
    upkeep: OfflineHistory,
    waiting: Vec<ImportedCheck>,
    ids: HashMap<SiteKey, i64>,
    imported: ImportTotals,
}

impl HistoryImport {
    /// Into this file.
    #[must_use]
    pub fn new(upkeep: OfflineHistory) -> Self {
        Self {
            upkeep,
            waiting: Vec::with_capacity(BATCH),
            ids: HashMap::new(),
            imported: ImportTotals::default(),
        }
    }

    /// Takes one row.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, row: ImportedCheck) -> Result<(), OfflineHistoryError> {
        if row.at > self.upkeep.now {
            self.imported.future += 1;
            return Ok(());
        }
        self.waiting.push(row);
        if self.waiting.len() == BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OfflineHistoryError> {
        let rows = std::mem::take(&mut self.waiting);
        let rolled = self.upkeep.store.rolled;
        let done = (|| {
            let connection = &self.upkeep.store.connection;
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            for row in &rows {
                let site = id(&transaction, &mut self.ids, &row.site)?;
                let kept = keep(&transaction, site, row)?;
                // Known ones too: an import that was killed may have left them without.
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
        self.upkeep.plainly(done)
    }

    /// Sums up what was taken.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<(ImportTotals, OfflineHistory), OfflineHistoryError> {
        self.flush()?;
        let now = self.upkeep.seconds();
        let done = (|| {
            let mut roller = Roller::careful();
            while roller.step(&mut self.upkeep.store, now, i64::MIN)? {}
            Ok(())
        })();
        self.upkeep.plainly(done)?;
        Ok((self.imported, self.upkeep))
    }
}

/// The number of a site in this file.
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

/// Writes a row at its time, or at the next one that is free; `None` if it is there already.
fn keep(
    transaction: &Transaction<'_>,
    site: i64,
    row: &ImportedCheck,
) -> rusqlite::Result<Option<i64>> {
    let first = row.at.as_micros();
    let Some(check) = &row.check else {
        let mut find = transaction.prepare_cached("SELECT site FROM missed WHERE at = ?1")?;
        for at in first..first.saturating_add(MOST_STEPS) {
            match find
                .query_row([at], |row| row.get::<_, i64>(0))
                .optional()?
            {
                Some(known) if known == site => return Ok(None),
                Some(_) => {}
                None => {
                    transaction
                        .prepare_cached("INSERT INTO missed VALUES (?1, ?2)")?
                        .execute((at, site))?;
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
    for at in first..first.saturating_add(MOST_STEPS) {
        let values = params![at, site, reason, check.status, latency, late];
        match find.query_row(values, |row| row.get(0)).optional()? {
            Some(true) => return Ok(None),
            Some(false) => {}
            None => {
                transaction
                    .prepare_cached("INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(values)?;
                return Ok(Some(at));
            }
        }
    }
    Ok(None)
}

impl OfflineHistory {
    /// Keeps outages that results tell of, but for those that fall into one that is known.
    /// Gives how many were new.
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
            }
            transaction.commit()?;
            Ok(new)
        })();
        self.plainly(done)
    }
}
