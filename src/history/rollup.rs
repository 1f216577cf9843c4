//! Rolls results up, a bounded step at a time: five minutes from rows of `results`, an hour from
//! its buckets of five minutes, a day from its hours.
//!
//! What is still to be done stands in the file, so a program that was killed goes on where it
//! was, and rolling a bucket up twice gives the same. A bucket is rolled up once it has ended;
//! one that gets a row later (the clock was set back, an import) is rolled up again. Some of its
//! rows may be deleted by then: a rollup of more checks is never replaced by one of fewer.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::outage_spans::OutageSpans;
use super::packed_days;
use super::store::Store;
use super::summaries::put;
use super::time_buckets::{BucketSize, COLUMNS, Rollup};

/// The most rows of `results` that one step reads.
const RESULTS_PER_STEP: usize = 50_000;

/// The most sites that one step rolls up, from up to 24 rows each.
const SITES_PER_STEP: i64 = 4_000;

/// Seconds from a bucket's end until it is rolled up.
const ROLLUP_DELAY: i64 = 5;

/// Seconds for which a bucket that is rolled up already waits until it is again: whenever sites
/// fail or recover, their time in it is another.
const AGAIN_DELAY: i64 = 300;

/// A watermark that is more seconds ahead of the clock than this was set before the clock was
/// set back.
const MOST_AHEAD: i64 = 600;

/// Rollups of one bucket, by site.
type RollupsBySite = BTreeMap<i64, Rollup>;

/// The rollup in progress.
#[derive(Debug, Default)]
pub(super) struct Roller {
    job: Option<Job>,
}

#[derive(Debug)]
enum Job {
    /// Reading results from `at` on.
    Read {
        start: i64,
        at: i64,
        sums: RollupsBySite,
        again: bool,
    },
    /// Writing what was read, the sites after `site`.
    Write {
        start: i64,
        site: i64,
        sums: RollupsBySite,
        again: bool,
    },
    /// Merging shorter buckets, the sites after `site`.
    Merge {
        level: BucketSize,
        start: i64,
        site: i64,
    },
}

impl Roller {
    /// Does one step; returns whether there is more to do at once. `now` is in seconds since
    /// 1970.
    pub(super) fn step(&mut self, store: &mut Store, now: i64) -> rusqlite::Result<bool> {
        let job = match self.job.take() {
            Some(job) => Some(job),
            None => choose(store, now)?,
        };
        let Some(job) = job else { return Ok(false) };
        self.job = match job {
            Job::Read {
                start,
                at,
                sums,
                again,
            } => Some(read(store, start, at, sums, again)?),
            Job::Write {
                start,
                site,
                sums,
                again,
            } => write(store, start, site, sums, again)?,
            Job::Merge { level, start, site } => merge(store, level, start, site)?,
        };
        Ok(true)
    }
}

/// The next bucket to roll up, if there is one.
fn choose(store: &mut Store, now: i64) -> rusqlite::Result<Option<Job>> {
    let target = BucketSize::FiveMinutes.floor(now - ROLLUP_DELAY);
    let due: Option<(i64, i64)> = store
        .connection
        .prepare_cached(
            "SELECT level, start FROM due_rollups
             WHERE level > 0 OR start < ?1 ORDER BY level, start LIMIT 1",
        )?
        .query_row([target - AGAIN_DELAY], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((number, start)) = due {
        return Ok(match BucketSize::from_number(number) {
            Some(level) if level > BucketSize::FiveMinutes => Some(Job::Merge {
                level,
                start,
                site: 0,
            }),
            _ => Some(bucket_of_results(start, true)),
        });
    }
    let rolled = match store.rolled {
        Some(rolled) if rolled > target + MOST_AHEAD => {
            store.connection.execute(
                "UPDATE marks SET value = ?1 WHERE name = 'rolled'",
                [target],
            )?;
            store.rolled = Some(target);
            return Ok(None);
        }
        rolled => rolled,
    };
    let Some(next) = first_row(store, rolled.unwrap_or(i64::MIN / 2_000_000))? else {
        return Ok(None);
    };
    if next >= target {
        if let Some(rolled) = rolled.filter(|rolled| *rolled < target) {
            advance(store, rolled, target)?;
        }
        return Ok(None);
    }
    match rolled {
        Some(rolled) if next > rolled => advance(store, rolled, next)?,
        Some(_) => {}
        None => {
            store
                .connection
                .execute("INSERT OR REPLACE INTO marks VALUES ('rolled', ?1)", [next])?;
            store.rolled = Some(next);
        }
    }
    Ok(Some(bucket_of_results(next, false)))
}

fn bucket_of_results(start: i64, again: bool) -> Job {
    Job::Read {
        start,
        at: start * 1_000_000,
        sums: RollupsBySite::new(),
        again,
    }
}

/// The beginning of the bucket of the first row at or after `from`.
fn first_row(store: &Store, from: i64) -> rusqlite::Result<Option<i64>> {
    let at: Option<i64> = store
        .connection
        .prepare_cached(
            "SELECT min(at) FROM (
                 SELECT * FROM (SELECT at FROM results WHERE at >= ?1 ORDER BY at LIMIT 1)
                 UNION ALL
                 SELECT * FROM (SELECT at FROM missed WHERE at >= ?1 ORDER BY at LIMIT 1))",
        )?
        .query_row([from * 1_000_000], |row| row.get(0))?;
    Ok(at.map(|at| BucketSize::FiveMinutes.floor(at.div_euclid(1_000_000))))
}

/// Moves the watermark to `to` and marks the longer buckets that have ended.
fn advance(store: &mut Store, from: i64, to: i64) -> rusqlite::Result<()> {
    let transaction =
        Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate)?;
    transaction
        .prepare_cached("UPDATE marks SET value = ?1 WHERE name = 'rolled'")?
        .execute([to])?;
    due_above(&transaction, BucketSize::FiveMinutes, from, to)?;
    transaction.commit()?;
    store.rolled = Some(to);
    Ok(())
}

/// Marks the longer buckets around `start` that have ended by `rolled`.
fn due_above(
    transaction: &Transaction<'_>,
    level: BucketSize,
    start: i64,
    rolled: i64,
) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT OR IGNORE INTO due_rollups VALUES (?1, ?2)")?;
    let mut above = level.above();
    while let Some(level) = above {
        let begin = level.floor(start);
        if begin + level.seconds() <= rolled {
            insert.execute((level as i64, begin))?;
        }
        above = level.above();
    }
    Ok(())
}

fn read(
    store: &Store,
    start: i64,
    at: i64,
    mut sums: RollupsBySite,
    again: bool,
) -> rusqlite::Result<Job> {
    let end = (start + BucketSize::FiveMinutes.seconds()) * 1_000_000;
    let mut query = store.connection.prepare_cached(
        "SELECT at, site, reason, latency_us, seen_ms, maintenance_ms FROM results
         WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT ?3",
    )?;
    let outages = OutageSpans::around(&store.connection, None, (at, end))?;
    let mut rows = query.query(params![at, end, RESULTS_PER_STEP])?;
    let (mut count, mut last) = (0, at);
    while let Some(row) = rows.next()? {
        count += 1;
        last = row.get(0)?;
        let site = row.get(1)?;
        sums.entry(site)
            .or_default()
            .add_result(row, (site, last), 2, &outages)?;
    }
    if count == RESULTS_PER_STEP {
        return Ok(Job::Read {
            start,
            at: last + 1,
            sums,
            again,
        });
    }
    let mut query = store.connection.prepare_cached(
        "SELECT at, site, seen_ms, maintenance_ms FROM missed WHERE at >= ?1 AND at < ?2",
    )?;
    let mut rows = query.query((start * 1_000_000, end))?;
    while let Some(row) = rows.next()? {
        let (at, site) = (row.get(0)?, row.get(1)?);
        sums.entry(site)
            .or_default()
            .add_missed(row, (site, at), 2, &outages)?;
    }
    Ok(Job::Write {
        start,
        site: 0,
        sums,
        again,
    })
}

fn write(
    store: &mut Store,
    start: i64,
    site: i64,
    sums: RollupsBySite,
    again: bool,
) -> rusqlite::Result<Option<Job>> {
    let level = BucketSize::FiveMinutes;
    let most = usize::try_from(SITES_PER_STEP).unwrap_or(usize::MAX);
    let transaction =
        Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate)?;
    let mut last = site;
    let mut written = 0;
    for (site, sum) in sums.range(site + 1..).take(most) {
        put(&transaction, level, start, *site, sum)?;
        last = *site;
        written += 1;
    }
    if written == most {
        transaction.commit()?;
        return Ok(Some(Job::Write {
            start,
            site: last,
            sums,
            again,
        }));
    }
    let rolled = match store.rolled {
        Some(rolled) if again => rolled,
        _ => start + level.seconds(),
    };
    if again {
        transaction
            .prepare_cached("DELETE FROM due_rollups WHERE level = 0 AND start = ?1")?
            .execute([start])?;
    } else {
        transaction
            .prepare_cached("UPDATE marks SET value = ?1 WHERE name = 'rolled'")?
            .execute([rolled])?;
    }
    due_above(&transaction, level, start, rolled)?;
    transaction.commit()?;
    store.rolled = Some(rolled);
    Ok(None)
}

fn merge(store: &Store, level: BucketSize, start: i64, site: i64) -> rusqlite::Result<Option<Job>> {
    let Some(below) = level.below() else {
        return Ok(None);
    };
    let transaction =
        Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate)?;
    // One period of the shorter kind after another: each is a run of its own in its table.
    let last: Option<i64> = transaction
        .prepare_cached("SELECT max(id) FROM sites")?
        .query_row([], |row| row.get(0))?;
    let until = site + SITES_PER_STEP;
    let mut sums = RollupsBySite::new();
    {
        let mut query = transaction.prepare_cached(&format!(
            "SELECT site, {COLUMNS} FROM {} WHERE start = ?1 AND site > ?2 AND site <= ?3",
            below.table()
        ))?;
        let mut part = start;
        while part < start + level.seconds() {
            let mut rows = query.query((part, site, until))?;
            while let Some(row) = rows.next()? {
                sums.entry(row.get(0)?)
                    .or_default()
                    .add_row(row, 1, below)?;
            }
            part += below.seconds();
        }
        if below == BucketSize::FiveMinutes {
            let span = (start, start + level.seconds());
            packed_days::each(&transaction, span, (site, until), |_, site, sum| {
                sums.entry(site).or_default().merge(sum);
            })?;
        }
    }
    for (site, sum) in &sums {
        put(&transaction, level, start, *site, sum)?;
    }
    let more = last.is_some_and(|last| last > until);
    if !more {
        transaction
            .prepare_cached("DELETE FROM due_rollups WHERE level = ?1 AND start = ?2")?
            .execute((level as i64, start))?;
    }
    transaction.commit()?;
    Ok(more.then_some(Job::Merge {
        level,
        start,
        site: until,
    }))
}
