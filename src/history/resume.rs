//! What goes on after a restart: failure streaks, open outages and manual maintenance.

use crate::domain::{FailureStreak, Timestamp};

use super::maintenance;
use super::queries::{Queries, QueryError};
use rusqlite::{Connection, OptionalExtension as _};

use super::outbox_state::{BATCHING, IN_DIGEST, PENDING, SENT};
use super::rows::{ResumedSite, SiteKey, UnsettledMessage};
use super::store::{Store, acknowledged};

impl Store {
    /// The failure streaks and open outages of the last run.
    pub(super) fn restore(&self) -> rusqlite::Result<Vec<ResumedSite>> {
        let mut query = self.connection.prepare(
            "SELECT s.name, s.url, k.failures, k.good, k.since, k.causes, k.last_good,
                    o.id IS NOT NULL, o.acknowledged, o.note,
                    EXISTS (SELECT 1 FROM outbox b WHERE b.outage = o.id), k.good_since, k.written
             FROM streaks k JOIN sites s ON s.id = k.site
             LEFT JOIN outages o ON o.site = k.site AND o.since = k.since AND o.ended IS NULL",
        )?;
        let rows = query.query_map([], |row| {
            Ok(ResumedSite {
                site: SiteKey {
                    name: row.get(0)?,
                    url: row.get(1)?,
                },
                streak: FailureStreak {
                    failures: row.get(2)?,
                    good: row.get(3)?,
                    good_since: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_micros),
                    since: Timestamp::from_micros(row.get(4)?),
                    causes: serde_json::from_str(row.get_ref(5)?.as_str()?).unwrap_or_default(),
                    last_good: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_micros),
                    down: row.get(7)?,
                    acknowledged: acknowledged(row.get(8)?, row.get(9)?),
                },
                told: row.get(10)?,
                written: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_micros),
            })
        })?;
        let restored: Result<Vec<ResumedSite>, _> = rows.collect();
        Ok(restored?
            .into_iter()
            .filter(|restored| !restored.streak.causes.is_empty())
            .collect())
    }
}

impl Queries<'_> {
    /// What was told of each site, as JSON.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn alerts(&self) -> Result<Vec<(SiteKey, Box<str>)>, QueryError> {
        self.checked((|| {
            let mut query = self.store.connection.prepare(
                "SELECT s.name, s.url, a.state FROM alerts a JOIN sites s ON s.id = a.site",
            )?;
            let rows = query.query_map([], |row| {
                let site = SiteKey {
                    name: row.get(0)?,
                    url: row.get(1)?,
                };
                Ok((site, row.get(2)?))
            })?;
            rows.collect()
        })())
    }

    /// What was told of the monitor itself, as JSON.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn monitor_alerts(&self) -> Result<Option<Box<str>>, QueryError> {
        self.checked(
            self.store
                .connection
                .query_row("SELECT state FROM monitor_alerts", [], |row| row.get(0))
                .optional(),
        )
    }

    /// The messages that were not settled, oldest first, and those that an unsettled digest
    /// tells of.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn unsettled(&self) -> Result<Vec<UnsettledMessage>, QueryError> {
        self.checked(find(
            &self.store.connection,
            &format!(
                "b.state IN ({PENDING}, {BATCHING}) OR b.state = {IN_DIGEST} AND b.digest IN
                     (SELECT id FROM outbox WHERE state = {PENDING})"
            ),
            "",
        ))
    }

    /// A message that was not delivered, and those that it tells of.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn undelivered(&self, id: &str) -> Result<Vec<UnsettledMessage>, QueryError> {
        self.checked(find(
            &self.store.connection,
            &format!("b.id = ?1 AND b.state <> {SENT} OR b.digest = ?1"),
            id,
        ))
    }

    /// The sites in manual maintenance, each with its end.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn maintenance(&self) -> Result<Vec<(SiteKey, Timestamp)>, QueryError> {
        self.checked(maintenance::begun(&self.store.connection, self.now()))
    }
}

/// The messages for which `condition` holds, whose parameter ?1 is `id`, oldest first.
fn find(
    connection: &Connection,
    condition: &str,
    id: &str,
) -> rusqlite::Result<Vec<UnsettledMessage>> {
    let mut query = connection.prepare(&format!(
        "SELECT b.id, b.owner, b.channel, s.name, s.url, o.since, b.event, b.at,
                b.state = {PENDING}, b.attempts, b.next, b.digest
         FROM outbox b LEFT JOIN outages o ON o.id = b.outage
         LEFT JOIN sites s ON s.id = o.site
         WHERE ({condition}) AND ?1 IS NOT NULL ORDER BY b.number"
    ))?;
    let rows = query.query_map([id], |row| {
        let name: Option<Box<str>> = row.get(3)?;
        let url: Option<Box<str>> = row.get(4)?;
        Ok(UnsettledMessage {
            id: row.get(0)?,
            owner: row.get(1)?,
            channel: row.get(2)?,
            site: name.zip(url).map(|(name, url)| SiteKey { name, url }),
            outage: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_micros),
            event: row.get(6)?,
            at: Timestamp::from_micros(row.get(7)?),
            sending: row.get(8)?,
            attempts: row.get(9)?,
            next: Timestamp::from_micros(row.get(10)?),
            digest: row.get(11)?,
        })
    })?;
    rows.collect()
}
