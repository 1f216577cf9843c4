//! Retention: old rows are deleted in steps small enough to run between two batches, and free
//! pages are given back to the disk.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::Retention;

use super::packed_days::{self, UNPACKED_AGE};
use super::store::Store;
use super::time_buckets::BucketSize;

/// The most rows of one table that one step deletes.
const ROWS_PER_STEP: i64 = 10_000;

/// The most pages that one step gives back.
const PAGES_PER_STEP: i64 = 512;

/// Free pages that are kept for new rows, besides a twentieth of the file.
const SPARE_PAGES: i64 = 64;

fn before(now: i64, kept: Duration) -> i64 {
    now.saturating_sub(i64::try_from(kept.as_secs()).unwrap_or(i64::MAX))
}

/// Deletes a little; returns whether there is more to do at once. `now` is in seconds since
/// 1970.
pub(super) fn step(store: &Store, keep: &Retention, now: i64) -> rusqlite::Result<bool> {
    let connection = &store.connection;
    // Results are deleted only after they are rolled up.
    let due: Option<i64> = connection
        .prepare_cached("SELECT min(start) FROM due_rollups WHERE level = 0")?
        .query_row([], |row| row.get(0))?;
    let rolled = store.rolled.unwrap_or(i64::MIN);
    let results = before(now, keep.raw)
        .min(rolled)
        .min(due.unwrap_or(i64::MAX));
    let mut more = false;
    for table in ["results", "missed"] {
        more |= rows(connection, table, "at", results.saturating_mul(1_000_000))?;
    }
    let long = before(now, keep.rollup);
    for level in BucketSize::ALL {
        more |= period(connection, level, long)?;
    }
    // After the deletion, so that nothing is packed in vain.
    let loose = before(now, UNPACKED_AGE);
    more |=
        packed_days::pack_some(connection, loose)? | packed_days::delete_some(connection, long)?;
    let long = long.saturating_mul(1_000_000);
    let ended = connection
        .prepare_cached(
            "DELETE FROM outages WHERE id IN
                 (SELECT id FROM outages WHERE since < ?1 AND ended < ?1 LIMIT ?2)",
        )?
        .execute((long, ROWS_PER_STEP))?;
    let settled = connection
        .prepare_cached(
            "DELETE FROM outbox WHERE number IN
                 (SELECT number FROM outbox WHERE settled < ?1 LIMIT ?2)",
        )?
        .execute((long, ROWS_PER_STEP))?;
    more |= ended > 0 || settled > 0;
    Ok(more | give_back(connection)?)
}

/// Deletes the oldest rows of a table whose key is a time.
fn rows(
    connection: &Connection,
    table: &str,
    column: &str,
    horizon: i64,
) -> rusqlite::Result<bool> {
    let first: Option<i64> = connection
        .prepare_cached(&format!("SELECT min({column}) FROM {table}"))?
        .query_row([], |row| row.get(0))?;
    if first.is_none_or(|first| first >= horizon) {
        return Ok(false);
    }
    let last: Option<i64> = connection
        .prepare_cached(&format!(
            "SELECT {column} FROM {table} WHERE {column} < ?1
             ORDER BY {column} LIMIT 1 OFFSET ?2"
        ))?
        .query_row((horizon, ROWS_PER_STEP), |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE {column} < ?1"))?
        .execute([last.unwrap_or(horizon)])?;
    Ok(last.is_some())
}

/// Deletes the oldest bucket of a size.
fn period(connection: &Connection, level: BucketSize, horizon: i64) -> rusqlite::Result<bool> {
    let table = level.table();
    let first: Option<i64> = connection
        .prepare_cached(&format!("SELECT min(start) FROM {table}"))?
        .query_row([], |row| row.get(0))?;
    let Some(first) = first.filter(|first| first + level.seconds() <= horizon) else {
        return Ok(false);
    };
    connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE start = ?1"))?
        .execute([first])?;
    Ok(true)
}

/// Moves the last pages of the file into free ones and truncates the file.
fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (free, all) = (number("freelist_count")?, number("page_count")?);
    let surplus = free - SPARE_PAGES - all / 20;
    if surplus <= 0 {
        return Ok(false);
    }
    // The pragma returns a row per page and has to be run to its end.
    let mut statement = connection.prepare(&format!(
        "PRAGMA incremental_vacuum({})",
        surplus.min(PAGES_PER_STEP)
    ))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(surplus > PAGES_PER_STEP)
}
