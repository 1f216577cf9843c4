//! The beginning of a span of the past: exact where raw results are kept from there on, else a multiple
//! of five minutes, the shortest bucket.

use std::time::Duration;

use rusqlite::Connection;

use crate::domain::Timestamp;

use super::time_buckets::BucketSize;

/// The columns of the time before a row, as far as it lies after the parameter `?3`.
pub(super) const TIME_AFTER: &str =
    "min(seen_ms, (at - ?3) / 1000), min(maintenance_ms, (at - ?3) / 1000)";

/// The beginning of the `span` up to `now`, in microseconds since 1970.
pub(super) fn begin_of(
    connection: &Connection,
    span: Duration,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let begin = now.as_micros().saturating_sub(span).max(0);
    // Rows of before are deleted in the order of time.
    let is_kept: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM results WHERE at <= ?1)")?
        .query_row([begin], |row| row.get(0))?;
    let is_rolled: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM rollup_5m WHERE start < ?1)")?
        .query_row([first_bucket(begin)], |row| row.get(0))?;
    Ok(if is_kept || !is_rolled {
        begin
    } else {
        first_bucket(begin).saturating_mul(1_000_000)
    })
}

/// The first bucket of five minutes that begins in a span, in seconds since 1970.
pub(super) fn first_bucket(begin: i64) -> i64 {
    BucketSize::FiveMinutes.ceil(begin.div_euclid(1_000_000) + i64::from(begin % 1_000_000 > 0))
}
