//! Outages as spans of time, to tell which of the time between two checks was down.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::time_buckets::{Rollup, TimeBefore};

/// Microseconds before a stretch from which on outages are loaded for it. The time before a
/// check reaches back for up to two intervals; what reaches further back is asked for alone.
const BEFORE: i64 = 2 * 86_400 * 1_000_000;

/// How much earlier than `since` and the length of an outage say its end may lie before the wall
/// clock was set back in it: less is drift.
const DRIFT: i64 = 2_000_000;

/// By how much a row may be moved to a free time.
const MOVED: i64 = 1_000;

/// The column that says how long outages lasted, in a file of whatever version.
pub(super) fn lasted_column(connection: &Connection) -> rusqlite::Result<&'static str> {
    let has_column = connection.column_exists(None, "outages", "lasted_us")?;
    Ok(if has_column { "lasted_us" } else { "NULL" })
}

/// An outage in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Span {
    since: i64,
    ended: i64,
    /// How long it lasted, where the wall clock was set back in it.
    set_back: Option<u64>,
}

impl Span {
    fn new(since: i64, ended: Option<i64>, lasted: Option<u64>) -> Self {
        let set_back = lasted.filter(|lasted| {
            let expected = since.saturating_add_unsigned(*lasted);
            ended.is_some_and(|ended| ended.saturating_add(DRIFT) < expected)
        });
        Self {
            since,
            ended: ended.unwrap_or(i64::MAX),
            set_back,
        }
    }
}

/// The outages around a stretch of time, by site.
#[derive(Debug)]
pub(super) struct OutageSpans<'connection> {
    connection: &'connection Connection,
    by_site: HashMap<i64, Vec<Span>>,
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
        let lasted = lasted_column(connection)?;
        let mut query = connection.prepare_cached(&format!(
            "SELECT site, since, ended, {lasted} FROM outages
             WHERE ended IS NULL AND since < ?2 AND (?3 IS NULL OR site = ?3)
             UNION ALL SELECT site, since, ended, {lasted} FROM outages
             WHERE ended >= ?1 AND min(since, ended) < ?2 AND (?3 IS NULL OR site = ?3)"
        ))?;
        let mut by_site: HashMap<i64, Vec<Span>> = HashMap::new();
        let mut rows = query.query(params![from, to, site])?;
        while let Some(row) = rows.next()? {
            let spans = by_site.entry(row.get(0)?).or_default();
            spans.push(Span::new(row.get(1)?, row.get(2)?, row.get(3)?));
        }
        Ok(Self {
            connection,
            by_site,
            from,
        })
    }

    /// The same, with what is believed of what is open: an outage is over with the first good check of a
    /// recovery under way, and a site that was never good is not up while that is not confirmed. For what
    /// is read, not for what is kept.
    pub(super) fn believed(mut self) -> rusqlite::Result<Self> {
        if !self
            .connection
            .column_exists(None, "streaks", "good_since")?
        {
            return Ok(self);
        }
        let mut query = self.connection.prepare_cached(
            "SELECT k.site, k.since, k.good_since, o.site IS NULL FROM streaks k
             LEFT JOIN outages o ON o.site = k.site AND o.since = k.since
             WHERE k.good_since IS NOT NULL OR k.last_good IS NULL AND o.site IS NULL",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (since, good_since): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
            let spans = self.by_site.entry(row.get(0)?).or_default();
            if row.get(3)? {
                spans.push(Span::new(since, None, None));
            } else if let Some(open) = spans
                .iter_mut()
                .find(|span| span.since == since && span.ended == i64::MAX)
            {
                open.ended = good_since.unwrap_or(i64::MAX);
            }
        }
        drop(rows);
        drop(query);
        Ok(self)
    }

    /// How a site was in the time of this length, in milliseconds, up to `at`: what lies between
    /// two checks lies within an outage or outside of all. Its middle decides, so that the
    /// microseconds by which a row is moved to a free time do not.
    fn before(&self, site: i64, at: i64, seen_ms: u64) -> rusqlite::Result<TimeBefore> {
        let spans = self.by_site.get(&site).map_or(&[][..], Vec::as_slice);
        let ends_here = |span: &&Span| (span.ended..span.ended.saturating_add(MOVED)).contains(&at);
        let set_back = spans
            .iter()
            .filter(ends_here)
            .find_map(|span| span.set_back);
        if let Some(lasted) = set_back {
            return Ok(TimeBefore::Outage(lasted));
        }
        if seen_ms > 0 && self.cover(site, at, seen_ms)? {
            return Ok(TimeBefore::Down);
        }
        Ok(TimeBefore::Up)
    }

    fn cover(&self, site: i64, at: i64, seen_ms: u64) -> rusqlite::Result<bool> {
        let half = i64::try_from(seen_ms.saturating_mul(500)).unwrap_or(i64::MAX);
        let middle = at.saturating_sub(half);
        if middle >= self.from {
            let spans = self.by_site.get(&site).map_or(&[][..], Vec::as_slice);
            return Ok(spans
                .iter()
                .filter(|span| span.set_back.is_none())
                .any(|span| (span.since..span.ended).contains(&middle)));
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
        let before = match seen {
            Some(seen) => outages.before(site, at, seen)?,
            None => TimeBefore::Up,
        };
        self.add_time(reason, (seen, maintenance), before);
        Ok(())
    }
}
