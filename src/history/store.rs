//! The connection with every statement that stores something, one transaction per batch.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::domain::{Acknowledgement, SeenTime, Site, SiteId, Timestamp};

use super::maintenance;
use super::outage_rows;
use super::outbox;
use super::reason_codes;
use super::rows::{ResultRow, SiteChange};
use super::time_buckets::BucketSize;
use super::writer_entry::WriteEntry;

/// Microseconds by which a time may lie before the last one without a clock having been set: two
/// results arrived at once.
const JITTER: i64 = 1_000_000;

/// The most microseconds by which a row moves to a free time before it is dropped.
const MOST_SHIFT: usize = 1_000;

/// The open database.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
    /// The rows of the table `sites`, by [`SiteId`]; 0 for an unknown number.
    sites: Vec<i64>,
    last_at: i64,
    /// The second up to which results are rolled up.
    pub(super) rolled: Option<i64>,
    late_period: Option<i64>,
    /// It is in memory in place of a file: what it is told may be of rows that only the file
    /// has.
    pub(super) replaces_file: bool,
}

impl Store {
    /// Wraps a connection whose schema is of this version.
    pub(super) fn new(connection: Connection) -> rusqlite::Result<Self> {
        connection.set_prepared_statement_cache_capacity(64);
        let rolled = connection
            .query_row("SELECT value FROM marks WHERE name = 'rolled'", [], |row| {
                row.get(0)
            })
            .optional()?;
        let last_at: Option<i64> =
            connection.query_row("SELECT max(at) FROM results", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            sites: Vec::new(),
            last_at: last_at.unwrap_or(0),
            rolled,
            late_period: None,
            replaces_file: false,
        })
    }

    /// Writes the whole batch or nothing of it.
    pub(super) fn apply(&mut self, batch: &[WriteEntry]) -> rusqlite::Result<()> {
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut writing = Writing {
            transaction: &transaction,
            sites: std::mem::take(&mut self.sites),
            last_at: self.last_at,
            rolled: self.rolled,
            late_period: self.late_period,
            replaces_file: self.replaces_file,
        };
        // Numbers given out in a transaction that is rolled back are not valid.
        let before = batch
            .iter()
            .any(|entry| matches!(entry, WriteEntry::Sites(..)))
            .then(|| writing.sites.clone());
        let written = batch.iter().try_for_each(|entry| writing.write(entry));
        let (sites, last_at) = (writing.sites, writing.last_at);
        let late_period = writing.late_period;
        match written.and_then(|()| transaction.commit()) {
            Ok(()) => {
                self.sites = sites;
                self.last_at = last_at;
                self.late_period = late_period;
                Ok(())
            }
            Err(error) => {
                self.sites = before.unwrap_or(sites);
                Err(error)
            }
        }
    }
}

pub(super) fn acknowledged(at: Option<i64>, note: Option<Box<str>>) -> Option<Acknowledgement> {
    Some(Acknowledgement {
        at: Timestamp::from_micros(at?),
        note: note.unwrap_or_default(),
    })
}

/// The time that was seen, and the maintenance in it, in milliseconds.
pub(super) fn millis(time: &SeenTime) -> (i64, i64) {
    let millis = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    (millis(time.seen), millis(time.maintenance))
}

/// One transaction in progress.
struct Writing<'connection> {
    transaction: &'connection Transaction<'connection>,
    sites: Vec<i64>,
    last_at: i64,
    rolled: Option<i64>,
    late_period: Option<i64>,
    replaces_file: bool,
}

impl Writing<'_> {
    fn write(&mut self, entry: &WriteEntry) -> rusqlite::Result<()> {
        match entry {
            WriteEntry::Sites(sites, at) => self.register(sites, *at),
            WriteEntry::Result(result) => self.result(result),
            WriteEntry::Missed(site, at, time) => self.missed(*site, *at, time),
            WriteEntry::SiteChange(change) => self.change(change),
            WriteEntry::Maintenance(site, until, now) => match self.row(*site) {
                Some(row) => maintenance::maintain(self.transaction, row, *until, *now),
                None => Ok(()),
            },
            WriteEntry::MonitorAlerts(state, messages) => {
                self.transaction
                    .prepare_cached("INSERT OR REPLACE INTO monitor_alerts VALUES ('monitor', ?1)")?
                    .execute([state])?;
                messages
                    .iter()
                    .try_for_each(|message| outbox::insert(self.transaction, message, None))
            }
            WriteEntry::Messages(messages) => messages
                .iter()
                .try_for_each(|message| outbox::insert(self.transaction, message, None)),
            WriteEntry::OutboxUpdate {
                id,
                update,
                answer,
                at,
            } => {
                let is_known =
                    outbox::update(self.transaction, id, update, answer.as_deref(), *at)?;
                if !is_known && self.replaces_file {
                    outbox::settle_elsewhere(self.transaction, id, update, answer.as_deref(), *at)?;
                }
                Ok(())
            }
        }
    }

    /// The site's row; `None` for a number that was never registered.
    fn row(&self, site: SiteId) -> Option<i64> {
        self.sites
            .get(site.index())
            .copied()
            .filter(|row| *row != 0)
    }

    fn register(&mut self, sites: &[(SiteId, Arc<Site>)], at: Timestamp) -> rusqlite::Result<()> {
        let mut find = self
            .transaction
            .prepare_cached("SELECT id FROM sites WHERE name = ?1 AND url = ?2")?;
        let mut insert = self
            .transaction
            .prepare_cached("INSERT INTO sites (name, url) VALUES (?1, ?2)")?;
        let mut watched = HashSet::new();
        for (id, site) in sites {
            if self.sites.len() <= id.index() {
                self.sites.resize(id.index() + 1, 0);
            }
            let row = &mut self.sites[id.index()];
            if *row == 0 {
                let key = (&site.name, site.spec.url.shown());
                let known = find.query_row(key, |found| found.get(0)).optional()?;
                *row = match known {
                    Some(known) => known,
                    None => insert.insert(key)?,
                };
            }
            watched.insert(*row);
        }
        drop((find, insert));
        // An outage of a site that is not watched any more would never end.
        let mut open = self
            .transaction
            .prepare_cached("SELECT DISTINCT site FROM outages WHERE ended IS NULL")?;
        let open: Vec<i64> = open
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for row in open.into_iter().filter(|row| !watched.contains(row)) {
            self.transaction.execute(
                "UPDATE outages SET ended = max(since, ?2) WHERE site = ?1 AND ended IS NULL",
                (row, at.as_micros()),
            )?;
            self.transaction
                .execute("DELETE FROM streaks WHERE site = ?1", [row])?;
        }
        Ok(())
    }

    /// The time of a new row: the given one, or the next that no row of this run has.
    fn free(&mut self, at: Timestamp) -> i64 {
        let at = at.as_micros();
        let ahead = self.last_at - at;
        let at = if (0..JITTER).contains(&ahead) {
            self.last_at + 1
        } else {
            at
        };
        self.last_at = at;
        at
    }

    /// Marks a bucket that is rolled up already to be rolled up again.
    fn note_late(&mut self, at: i64) -> rusqlite::Result<()> {
        let seconds = at.div_euclid(1_000_000);
        let period = BucketSize::FiveMinutes.floor(seconds);
        if self.rolled.is_none_or(|rolled| seconds >= rolled) || self.late_period == Some(period) {
            return Ok(());
        }
        self.transaction
            .prepare_cached("INSERT OR IGNORE INTO due_rollups VALUES (0, ?1)")?
            .execute([period])?;
        self.late_period = Some(period);
        Ok(())
    }

    fn result(&mut self, result: &ResultRow) -> rusqlite::Result<()> {
        let Some(site) = self.row(result.site) else {
            return Ok(());
        };
        let mut insert = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO results
                 (at, site, reason, status, latency_us, late_ms, seen_ms, maintenance_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let reason = reason_codes::code(result.reason);
        let latency = i64::try_from(result.latency.as_micros()).unwrap_or(i64::MAX);
        let late = i64::try_from(result.late.as_millis()).unwrap_or(i64::MAX);
        let (seen, maintenance) = millis(&result.time);
        let mut at = self.free(result.at);
        // After the clock was set back there may be rows of these times already.
        for _ in 0..MOST_SHIFT {
            let status = result.status;
            let row = (at, site, reason, status, latency, late, seen, maintenance);
            if insert.execute(row)? > 0 {
                break;
            }
            at += 1;
        }
        drop(insert);
        self.last_at = at;
        self.note_late(at)
    }

    fn missed(&mut self, site: SiteId, at: Timestamp, time: &SeenTime) -> rusqlite::Result<()> {
        let Some(site) = self.row(site) else {
            return Ok(());
        };
        let mut at = self.free(at);
        let mut insert = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO missed VALUES (?1, ?2, ?3, ?4)")?;
        let (seen, maintenance) = millis(time);
        for _ in 0..MOST_SHIFT {
            if insert.execute((at, site, seen, maintenance))? > 0 {
                break;
            }
            at += 1;
        }
        drop(insert);
        self.last_at = at;
        self.note_late(at)
    }

    fn change(&mut self, change: &SiteChange) -> rusqlite::Result<()> {
        let Some(site) = self.row(change.site) else {
            return Ok(());
        };
        match &change.streak {
            Some(streak) => {
                outage_rows::stand(self.transaction, site, streak, change.at, self.rolled)?;
            }
            None => outage_rows::forget_streak(self.transaction, site)?,
        }
        if let Some(ended) = &change.ended {
            outage_rows::end(self.transaction, site, ended, self.rolled)?;
        }
        self.alerts(site, &change.alerts)?;
        if change.messages.is_empty() {
            return Ok(());
        }
        let since = change
            .ended
            .as_ref()
            .map(|ended| ended.since)
            .or(change.streak.as_ref().map(|streak| streak.since));
        let outage = self
            .transaction
            .prepare_cached("SELECT id FROM outages WHERE site = ?1 AND since = ?2")?
            .query_row((site, since.map(Timestamp::as_micros)), |row| row.get(0))
            .optional()?;
        change
            .messages
            .iter()
            .try_for_each(|message| outbox::insert(self.transaction, message, outage))
    }

    fn alerts(&self, site: i64, state: &str) -> rusqlite::Result<()> {
        if state.is_empty() {
            let sql = "DELETE FROM alerts WHERE site = ?1";
            self.transaction.prepare_cached(sql)?.execute([site])?;
        } else {
            let sql = "INSERT OR REPLACE INTO alerts VALUES (?1, ?2)";
            self.transaction
                .prepare_cached(sql)?
                .execute((site, state))?;
        }
        Ok(())
    }
}
