//! Rollups of five minutes older than some weeks: one packed row per site and day. A bucket is
//! stored here or in its own table, never in both, so that readers add the two.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::packed_codec::{Slots, pack, place, start, unpack};
use super::time_buckets::{BucketSize, COLUMNS, Rollup};

/// How long rollups of five minutes have rows of their own. Older ones are seldom read, and as
/// rows they would be most of the file: over 400 days a site has 115,200 of them beside 9,600
/// hours and 400 days.
pub(super) const UNPACKED_AGE: Duration = Duration::from_secs(35 * 86_400);

/// The most sites whose day one step packs: up to 288 rows each.
const SITES_PER_STEP: i64 = 32;

/// The most packed days that one step deletes.
const DAYS_PER_STEP: i64 = 2_000;

/// The beginnings of the buckets of a day.
fn stretches(day: i64) -> impl Iterator<Item = i64> {
    let each = BucketSize::FiveMinutes.seconds();
    (day..day + BucketSize::Day.seconds()).step_by(usize::try_from(each).unwrap_or(300))
}

fn day_of(connection: &Connection, day: i64, site: i64) -> rusqlite::Result<Option<Slots>> {
    connection
        .prepare_cached("SELECT rows FROM packed_5m WHERE day = ?1 AND site = ?2")?
        .query_row((day, site), |row| Ok(unpack(row.get_ref(0)?.as_blob()?)))
        .optional()
}

fn keep(connection: &Connection, day: i64, site: i64, slots: &Slots) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO packed_5m (day, site, rows) VALUES (?1, ?2, ?3)")?
        .execute(params![day, site, pack(slots)])?;
    Ok(())
}

/// Writes a rollup into its day if that is packed; returns whether it is. One that counts more
/// checks stays.
pub(super) fn put(
    connection: &Connection,
    begin: i64,
    site: i64,
    sum: &Rollup,
) -> rusqlite::Result<bool> {
    let (day, slot) = place(begin);
    let Some(mut slots) = day_of(connection, day, site)? else {
        return Ok(false);
    };
    let checks = |sum: &Rollup| sum.count.saturating_add(sum.missed);
    let known = slots.get(&slot).map(checks);
    if known.is_none_or(|known| checks(sum) >= known) {
        slots.insert(slot, sum.clone());
        keep(connection, day, site, &slots)?;
    }
    Ok(true)
}

/// Adds the rollup of one bucket of a site; returns whether it is stored here.
pub(super) fn add(
    connection: &Connection,
    begin: i64,
    site: i64,
    sum: &mut Rollup,
) -> rusqlite::Result<bool> {
    let (day, slot) = place(begin);
    let slots = day_of(connection, day, site)?;
    let found = slots.as_ref().and_then(|slots| slots.get(&slot));
    if let Some(found) = found {
        sum.merge(found);
    }
    Ok(found.is_some())
}

/// Passes every bucket from `from` to before `to` of the sites with rows above `after` and up to
/// `until`, those of one site in the order of time.
pub(super) fn each(
    connection: &Connection,
    (from, to): (i64, i64),
    (after, until): (i64, i64),
    mut pass: impl FnMut(i64, i64, &Rollup),
) -> rusqlite::Result<()> {
    let mut query = connection.prepare_cached(
        "SELECT day, site, rows FROM packed_5m
         WHERE day >= ?1 AND day < ?2 AND site > ?3 AND site <= ?4 ORDER BY day",
    )?;
    let mut rows = query.query((BucketSize::Day.floor(from), to, after, until))?;
    while let Some(row) = rows.next()? {
        let (day, site) = (row.get(0)?, row.get(1)?);
        for (slot, sum) in unpack(row.get_ref(2)?.as_blob()?) {
            let begin = start(day, slot);
            if (from..to).contains(&begin) {
                pass(begin, site, &sum);
            }
        }
    }
    Ok(())
}

/// Packs the rows of some sites of the oldest day that has ended by `horizon`; returns whether
/// there may be more.
pub(super) fn pack_some(connection: &Connection, horizon: i64) -> rusqlite::Result<bool> {
    let oldest: Option<i64> = connection
        .prepare_cached("SELECT min(start) FROM rollup_5m")?
        .query_row([], |row| row.get(0))?;
    let day = oldest.map(|oldest| BucketSize::Day.floor(oldest));
    let Some(day) = day.filter(|day| day + BucketSize::Day.seconds() <= horizon) else {
        return Ok(false);
    };
    let mut first: Option<i64> = None;
    let mut query = connection
        .prepare_cached("SELECT site FROM rollup_5m WHERE start = ?1 ORDER BY site LIMIT 1")?;
    for begin in stretches(day) {
        let site = query.query_row([begin], |row| row.get(0)).optional()?;
        first = first.into_iter().chain(site).min();
    }
    drop(query);
    let Some(first) = first else {
        return Ok(false);
    };
    let until = first.saturating_add(SITES_PER_STEP);
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    for (site, loose) in take(&transaction, day, (first, until))? {
        let mut slots = day_of(&transaction, day, site)?.unwrap_or_default();
        slots.extend(loose);
        keep(&transaction, day, site, &slots)?;
    }
    transaction.commit()?;
    Ok(true)
}

/// Takes the rows of a day out of their table, for the sites from `first` to before `until`.
fn take(
    transaction: &Transaction<'_>,
    day: i64,
    (first, until): (i64, i64),
) -> rusqlite::Result<BTreeMap<i64, Slots>> {
    let mut sites: BTreeMap<i64, Slots> = BTreeMap::new();
    let mut query = transaction.prepare_cached(&format!(
        "SELECT site, {COLUMNS} FROM rollup_5m WHERE start = ?1 AND site >= ?2 AND site < ?3"
    ))?;
    let mut delete = transaction
        .prepare_cached("DELETE FROM rollup_5m WHERE start = ?1 AND site >= ?2 AND site < ?3")?;
    for begin in stretches(day) {
        let mut rows = query.query((begin, first, until))?;
        while let Some(row) = rows.next()? {
            let mut sum = Rollup::default();
            sum.add_row(row, 1, BucketSize::FiveMinutes)?;
            let slots = sites.entry(row.get(0)?).or_default();
            slots.insert(place(begin).1, sum);
        }
        drop(rows);
        delete.execute((begin, first, until))?;
    }
    Ok(sites)
}

/// Deletes some days that have ended by `horizon`; returns whether there may be more.
pub(super) fn delete_some(connection: &Connection, horizon: i64) -> rusqlite::Result<bool> {
    let deleted = connection
        .prepare_cached(
            "DELETE FROM packed_5m WHERE rowid IN
                 (SELECT rowid FROM packed_5m WHERE day <= ?1 ORDER BY day LIMIT ?2)",
        )?
        .execute((
            horizon.saturating_sub(BucketSize::Day.seconds()),
            DAYS_PER_STEP,
        ))?;
    Ok(deleted > 0)
}
