//! What is stored of failure streaks and outages. When one is known, or its end, what was rolled up
//! before is marked to be rolled up again: its time was taken for the other.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::domain::{Cause, FailureStreak, Timestamp};

use super::rows::EndedOutage;
use super::time_buckets::BucketSize;

/// The microseconds from the beginning or the end of an outage on in which what was rolled up
/// may not have known of it: a week. Older results are seldom there.
const LATE: i64 = 7 * 86_400 * 1_000_000;

/// Causes as the JSON that the columns `causes` hold.
pub(super) fn json(causes: &[Cause]) -> rusqlite::Result<String> {
    serde_json::to_string(causes)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Stores the failure streak of a site, and its outage once that is confirmed.
pub(super) fn stand(
    transaction: &Transaction<'_>,
    site: i64,
    streak: &FailureStreak,
    at: Timestamp,
    rolled: Option<i64>,
) -> rusqlite::Result<()> {
    let causes = json(&streak.causes)?;
    let since = streak.since.as_micros();
    let last_good = streak.last_good.map(Timestamp::as_micros);
    let at = at.as_micros();
    transaction
        .prepare_cached("INSERT OR REPLACE INTO streaks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            site,
            streak.failures,
            streak.good,
            since,
            causes,
            last_good,
            streak.good_since.map(Timestamp::as_micros),
            at
        ])?;
    if !streak.down {
        return Ok(());
    }
    let (known, note) = streak
        .acknowledged
        .as_ref()
        .map(|known| (known.at.as_micros(), &*known.note))
        .unzip();
    let confirmed: i64 = transaction
        .prepare_cached(
            "INSERT INTO outages
                 (site, since, confirmed, causes, last_good, acknowledged, note)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (site, since) DO UPDATE SET
                 causes = excluded.causes, acknowledged = excluded.acknowledged,
                 note = excluded.note
             RETURNING confirmed",
        )?
        .query_row(
            params![site, since, at, causes, last_good, known, note],
            |row| row.get(0),
        )?;
    if confirmed == at {
        // From its first failure on it was down, which nothing said before.
        mark_due(transaction, (since, since.saturating_add(LATE)), rolled)?;
    }
    Ok(())
}

/// The site has no failure streak any more.
pub(super) fn forget_streak(transaction: &Transaction<'_>, site: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM streaks WHERE site = ?1")?
        .execute([site])?;
    Ok(())
}

/// Stores the end of an outage; its beginning may stand in another file.
pub(super) fn end(
    transaction: &Transaction<'_>,
    site: i64,
    ended: &EndedOutage,
    rolled: Option<i64>,
) -> rusqlite::Result<()> {
    let until = ended.until.as_micros();
    transaction
        .prepare_cached(
            "INSERT INTO outages (site, since, confirmed, ended, causes, lasted_us, untold)
             VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (site, since) DO UPDATE SET
                 ended = coalesce(ended, excluded.ended),
                 lasted_us = coalesce(lasted_us, excluded.lasted_us),
                 untold = coalesce(untold, excluded.untold),
                 causes = iif(excluded.causes = '[]', causes, excluded.causes)",
        )?
        .execute((
            site,
            ended.since.as_micros(),
            until,
            json(&ended.causes)?,
            i64::try_from(ended.lasted.as_micros()).unwrap_or(i64::MAX),
            // Serializing plain fields cannot fail.
            (ended.untold.as_ref()).and_then(|untold| serde_json::to_string(untold).ok()),
        ))?;
    // From then on it was up, which nothing said before; and where the clock was set back in it,
    // its end alone says how much was down.
    let from = until.min(ended.since.as_micros());
    mark_due(transaction, (from, until.saturating_add(LATE)), rolled)
}

/// Marks the buckets of a span, in microseconds since 1970, that are rolled up already to be
/// rolled up again.
pub(super) fn mark_due(
    connection: &Connection,
    (from, to): (i64, i64),
    rolled: Option<i64>,
) -> rusqlite::Result<()> {
    let size = BucketSize::FiveMinutes;
    let Some(rolled) = rolled else { return Ok(()) };
    let last = to.div_euclid(1_000_000).min(rolled - 1);
    let mut start = size.floor(from.div_euclid(1_000_000));
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO due_rollups VALUES (0, ?1)")?;
    while start <= last {
        insert.execute([start])?;
        start += size.seconds();
    }
    Ok(())
}

/// Marks what is rolled up in `file` from when outages began or ended that `memory` knows of.
pub(super) fn mark_changes(
    memory: &Connection,
    file: &Connection,
    rolled: Option<i64>,
) -> rusqlite::Result<()> {
    let mut query = memory.prepare(
        "SELECT since FROM outages UNION SELECT ended FROM outages WHERE ended IS NOT NULL",
    )?;
    let transaction = Transaction::new_unchecked(file, TransactionBehavior::Immediate)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        mark_due(&transaction, (at, at.saturating_add(LATE)), rolled)?;
    }
    transaction.commit()
}
