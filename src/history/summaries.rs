//! Where a rollup is written: into the table of its bucket size, or into the packed day that it
//! belongs to.

use rusqlite::{Transaction, params};

use super::packed_days;
use super::time_buckets::{BucketSize, COLUMNS, Rollup};

/// Writes the rollup of a bucket of a site. One that counts more checks stays: some of its
/// results are deleted since.
pub(super) fn put(
    transaction: &Transaction<'_>,
    level: BucketSize,
    start: i64,
    site: i64,
    sum: &Rollup,
) -> rusqlite::Result<()> {
    if level == BucketSize::FiveMinutes && packed_days::put(transaction, start, site, sum)? {
        return Ok(());
    }
    // Checks of which no time is known are in it: it is guessed whenever the row is read.
    let millis = |micros: u64| (sum.untimed.0 == 0).then_some(micros / 1_000);
    let sketch = (!sum.sketch.is_empty()).then(|| sum.sketch.to_bytes());
    transaction
        .prepare_cached(&format!(
            "INSERT INTO {} (start, site, {COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT (start, site) DO UPDATE SET
                 count = excluded.count, up = excluded.up, missed = excluded.missed,
                 unknown = excluded.unknown, min_us = excluded.min_us,
                 sum_us = excluded.sum_us, max_us = excluded.max_us,
                 sketch = excluded.sketch, seen_ms = excluded.seen_ms,
                 maintenance_ms = excluded.maintenance_ms, down_ms = excluded.down_ms
             WHERE excluded.count + excluded.missed >= count + missed",
            level.table()
        ))?
        .execute(params![
            start,
            site,
            sum.count,
            sum.up,
            sum.missed,
            sum.unknown,
            sum.min_us,
            sum.sum_us,
            sum.max_us,
            sketch,
            millis(sum.time.seen_us),
            millis(sum.time.maintenance_us),
            millis(sum.time.down_us)
        ])?;
    Ok(())
}
