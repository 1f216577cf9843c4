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
    let sketch = (!sum.sketch.is_empty()).then(|| sum.sketch.to_bytes());
    transaction
        .prepare_cached(&format!(
            "INSERT INTO {} (start, site, {COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (start, site) DO UPDATE SET
                 count = excluded.count, up = excluded.up, missed = excluded.missed,
                 unknown = excluded.unknown, min_us = excluded.min_us,
                 sum_us = excluded.sum_us, max_us = excluded.max_us,
                 sketch = excluded.sketch
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
            sketch
        ])?;
    Ok(())
}
