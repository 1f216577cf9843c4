//! Maintenance that somebody began by key: it is kept, so that it goes on after a restart.

use rusqlite::{Connection, Transaction};

use crate::domain::Timestamp;

use super::rows::SiteKey;

/// The sites at which there is some `now`, and until when.
pub(super) fn begun(
    connection: &Connection,
    now: Timestamp,
) -> rusqlite::Result<Vec<(SiteKey, Timestamp)>> {
    let mut query = connection.prepare_cached(
        "SELECT s.name, s.url, m.until FROM maintenance m JOIN sites s ON s.id = m.site
         WHERE m.until > ?1",
    )?;
    let rows = query.query_map([now.as_micros()], |row| {
        let site = SiteKey {
            name: row.get(0)?,
            url: row.get(1)?,
        };
        Ok((site, Timestamp::from_micros(row.get(2)?)))
    })?;
    rows.collect()
}

/// Keeps that there is maintenance at a site until then, or none any more. What is over goes.
pub(super) fn maintain(
    transaction: &Transaction<'_>,
    site: i64,
    until: Option<Timestamp>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM maintenance WHERE site = ?1 OR until <= ?2")?
        .execute((site, now.as_micros()))?;
    if let Some(until) = until {
        transaction
            .prepare_cached("INSERT INTO maintenance VALUES (?1, ?2)")?
            .execute((site, until.as_micros()))?;
    }
    Ok(())
}
