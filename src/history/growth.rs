//! How fast the file grows: measured from the pages in use, an hour apart, and not estimated
//! from the checks.

use rusqlite::{Connection, OptionalExtension as _};
use std::time::Duration;

/// What the file grew by in a span that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Bytes that more pages are in use for than at the span's begin; fewer count as none.
    pub bytes: u64,
    /// The length of the span.
    pub over: Duration,
    /// Sites that the file keeps anything of.
    pub sites: u64,
}

impl Growth {
    /// Bytes a day at this rate.
    #[must_use]
    pub fn per_day(&self) -> u64 {
        const DAY: u128 = 86_400_000;
        let bytes = u128::from(self.bytes) * DAY / self.over.as_millis().max(1);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Bytes a day and site at this rate.
    #[must_use]
    pub fn per_site_and_day(&self) -> u64 {
        self.per_day() / self.sites.max(1)
    }
}

/// Seconds between two measurements that are kept.
const EACH: i64 = 3_600;

/// Seconds for which a measurement is kept.
const KEPT: i64 = 25 * 3_600;

/// A shorter span says nothing: a page is 4 KiB, and the rollups of five minutes come at once.
const LEAST: i64 = 600;

/// The names of the marks, before the second.
const NAME: &str = "size ";

/// Keeps the size of the file at `now`, seconds since 1970, once an hour.
pub(super) fn measure(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    let last = connection
        .prepare_cached("SELECT max(name) FROM marks WHERE name GLOB 'size *'")?
        .query_row([], |row| row.get::<_, Option<Box<str>>>(0))?;
    // One that is ahead was written while the clock was.
    let last = last.and_then(|name| second(&name)).filter(|at| *at <= now);
    if last.is_some_and(|at| now - at < EACH) {
        return Ok(());
    }
    connection
        .prepare_cached("DELETE FROM marks WHERE name GLOB 'size *' AND (name < ?1 OR name > ?2)")?
        .execute((mark(now - KEPT), mark(now)))?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO marks VALUES (?1, ?2)")?
        .execute((mark(now), used(connection)?))?;
    Ok(())
}

/// The growth since the oldest measurement; `None` before there is one that is old enough.
pub(super) fn growth(connection: &Connection, now: i64) -> rusqlite::Result<Option<Growth>> {
    let oldest: Option<(Box<str>, i64)> = connection
        .prepare_cached("SELECT min(name), value FROM marks WHERE name GLOB 'size *'")?
        .query_row([], |row| {
            Ok(row.get::<_, Option<Box<str>>>(0)?.zip(row.get(1)?))
        })
        .optional()?
        .flatten();
    let Some((at, before)) = oldest.and_then(|(name, bytes)| Some((second(&name)?, bytes))) else {
        return Ok(None);
    };
    if now - at < LEAST {
        return Ok(None);
    }
    let sites = connection.query_row("SELECT count(*) FROM sites", [], |row| row.get(0))?;
    let grown = used(connection)? - before;
    Ok(Some(Growth {
        bytes: u64::try_from(grown).unwrap_or(0),
        over: Duration::from_secs(u64::try_from(now - at).unwrap_or(0)),
        sites,
    }))
}

/// Bytes of the pages that are in use.
fn used(connection: &Connection) -> rusqlite::Result<i64> {
    let number = |pragma: &str| -> rusqlite::Result<i64> {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
    };
    Ok((number("page_count")? - number("freelist_count")?) * number("page_size")?)
}

/// The name of a measurement: names stand in the order of time.
fn mark(second: i64) -> String {
    format!("{NAME}{:012}", second.max(0))
}

fn second(name: &str) -> Option<i64> {
    name.strip_prefix(NAME)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_764_568_800;

    fn file() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE TABLE sites (id INTEGER PRIMARY KEY);
                 INSERT INTO sites VALUES (1), (2);
                 CREATE TABLE rows (bytes BLOB);",
            )
            .unwrap();
        connection
    }

    fn write(connection: &Connection, bytes: usize) {
        let row = vec![7_u8; bytes];
        connection
            .execute("INSERT INTO rows VALUES (?1)", [row])
            .unwrap();
    }

    #[test]
    fn growth_is_what_was_written_since_a_day_ago() {
        let file = file();
        measure(&file, NOW).unwrap();
        write(&file, 1_000_000);
        assert_eq!(growth(&file, NOW + 599).unwrap(), None);
        let grown = growth(&file, NOW + 7_200).unwrap().unwrap();
        assert_eq!((grown.over.as_secs(), grown.sites), (7_200, 2));
        assert!((990_000..1_020_000).contains(&grown.bytes), "{grown:?}");
        assert_eq!(grown.per_day(), grown.bytes * 12);
        assert_eq!(grown.per_site_and_day(), grown.bytes * 6);
        // Pages that are free again are no growth.
        file.execute("DELETE FROM rows", []).unwrap();
        assert_eq!(growth(&file, NOW + 7_200).unwrap().unwrap().bytes, 0);
    }

    #[test]
    fn a_measurement_an_hour_is_kept_for_a_day() {
        let file = file();
        for minute in 0..3 * 1_440 {
            measure(&file, NOW + minute * 60).unwrap();
        }
        let kept: i64 = file
            .query_row("SELECT count(*) FROM marks", [], |row| row.get(0))
            .unwrap();
        assert!((25..=26).contains(&kept), "{kept}");
        let end = NOW + 3 * 86_400;
        let over = growth(&file, end).unwrap().unwrap().over;
        assert!((24..=26).contains(&(over.as_secs() / 3_600)), "{over:?}");
        // The clock was ahead: what it left there is dropped.
        measure(&file, NOW).unwrap();
        let kept: i64 = file
            .query_row("SELECT count(*) FROM marks", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }
}
