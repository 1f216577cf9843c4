//! Manual maintenance, begun by key: stored, so that it goes on after a restart.

use rusqlite::{Connection, Transaction};

use crate::domain::Timestamp;

use super::rows::SiteKey;

/// The sites in manual maintenance at `now`, each with its end.
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

/// Stores the end of a site's maintenance, `None` if it ends now; deletes what has ended.
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
