//! Manual maintenance, begun by key: stored, so that it goes on after a restart.

use rusqlite::{Connection, Transaction};

use crate::domain::Timestamp;

use super::rows::SiteKey;

/// The length of maintenance whose beginning was not kept, in microseconds.
const HOUR: i64 = 3_600_000_000;

/// The sites in manual maintenance at `now`, each with its end: no later than it was to last,
/// though the clock was set back since.
pub(super) fn begun(
    connection: &Connection,
    now: Timestamp,
) -> rusqlite::Result<Vec<(SiteKey, Timestamp)>> {
    let mut query = connection.prepare_cached(
        "SELECT s.name, s.url, m.until, m.begun FROM maintenance m JOIN sites s ON s.id = m.site
         WHERE m.until > ?1",
    )?;
    let rows = query.query_map([now.as_micros()], |row| {
        let site = SiteKey {
            name: row.get(0)?,
            url: row.get(1)?,
        };
        let until: i64 = row.get(2)?;
        let begun: Option<i64> = row.get(3)?;
        let lasts = until.saturating_sub(begun.unwrap_or(until - HOUR));
        let latest = now.as_micros().saturating_add(lasts);
        Ok((site, Timestamp::from_micros(until.min(latest))))
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
            .prepare_cached("INSERT INTO maintenance (site, until, begun) VALUES (?1, ?2, ?3)")?
            .execute((site, until.as_micros(), now.as_micros()))?;
    }
    Ok(())
}
