//! Outages as spans of time, to tell which of the time between two checks was down.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::time_buckets::Rollup;

/// Microseconds before a stretch from which on outages are loaded for it. The time before a
/// check reaches back for up to two intervals; what reaches further back is asked for alone.
const BEFORE: i64 = 2 * 86_400 * 1_000_000;

/// The outages around a stretch of time, by site.
#[derive(Debug)]
pub(super) struct OutageSpans<'connection> {
    connection: &'connection Connection,
    by_site: HashMap<i64, Vec<(i64, i64)>>,
    /// Those that ended before are not loaded.
    from: i64,
}

impl<'connection> OutageSpans<'connection> {
    /// The outages around the stretch `from..to`, in microseconds since 1970, of one site or all.
    pub(super) fn around(
        connection: &'connection Connection,
        site: Option<i64>,
        (from, to): (i64, i64),
    ) -> rusqlite::Result<Self> {
        let from = from.saturating_sub(BEFORE);
        // Two searches: an index serves each.
        let mut query = connection.prepare_cached(
            "SELECT site, since, ended FROM outages
             WHERE ended IS NULL AND since < ?2 AND (?3 IS NULL OR site = ?3)
             UNION ALL SELECT site, since, ended FROM outages
             WHERE ended >= ?1 AND since < ?2 AND (?3 IS NULL OR site = ?3)",
        )?;
        let mut by_site: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
        let mut rows = query.query(params![from, to, site])?;
        while let Some(row) = rows.next()? {
            let ended = row.get::<_, Option<i64>>(2)?.unwrap_or(i64::MAX);
            let spans = by_site.entry(row.get(0)?).or_default();
            spans.push((row.get(1)?, ended));
        }
        Ok(Self {
            connection,
            by_site,
            from,
        })
    }

    /// Whether a site was down in the time of this length, in milliseconds, up to `at`: what
    /// lies between two checks lies within an outage or outside of all. Its middle decides, so
    /// that the microseconds by which a row is moved to a free time do not.
    pub(super) fn cover(&self, site: i64, at: i64, seen_ms: u64) -> rusqlite::Result<bool> {
        let half = i64::try_from(seen_ms.saturating_mul(500)).unwrap_or(i64::MAX);
        let middle = at.saturating_sub(half);
        if middle >= self.from {
            let spans = self.by_site.get(&site).map_or(&[][..], Vec::as_slice);
            return Ok(spans
                .iter()
                .any(|(since, ended)| (*since..*ended).contains(&middle)));
        }
        self.connection
            .prepare_cached(
                "SELECT 1 FROM outages
                 WHERE site = ?1 AND since <= ?2 AND (ended IS NULL OR ended > ?2)",
            )?
            .exists((site, middle))
    }
}

impl Rollup {
    /// Counts the result in a row, a site's at a time in microseconds: from the column `first`
    /// on its reason, latency, and the time before it.
    pub(super) fn add_result(
        &mut self,
        row: &Row<'_>,
        (site, at): (i64, i64),
        first: usize,
        outages: &OutageSpans<'_>,
    ) -> rusqlite::Result<()> {
        let reason = row.get(first)?;
        self.add_check(reason, row.get(first + 1)?);
        self.add_time_of(Some(reason), row, (site, at), first + 2, outages)
    }

    /// Counts the missed check in a row: from the column `first` on the time before it.
    pub(super) fn add_missed(
        &mut self,
        row: &Row<'_>,
        (site, at): (i64, i64),
        first: usize,
        outages: &OutageSpans<'_>,
    ) -> rusqlite::Result<()> {
        self.missed += 1;
        self.add_time_of(None, row, (site, at), first, outages)
    }

    fn add_time_of(
        &mut self,
        reason: Option<u8>,
        row: &Row<'_>,
        (site, at): (i64, i64),
        first: usize,
        outages: &OutageSpans<'_>,
    ) -> rusqlite::Result<()> {
        let (seen, maintenance) = (row.get(first)?, row.get(first + 1)?);
        let is_down = match seen {
            Some(seen) if seen > 0 => outages.cover(site, at, seen)?,
            _ => false,
        };
        self.add_time(reason, (seen, maintenance), is_down);
        Ok(())
    }
}
