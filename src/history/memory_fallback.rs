//! The copies between the file and the database in memory that takes its place while the file
//! cannot be written, in SQL from one database to the other.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::outbox_state::{BATCHING, IN_DIGEST, PENDING};

/// From the file into memory: what is open, so that it goes on.
fn from_file_sql() -> String {
    format!(
        "
    INSERT OR IGNORE INTO main.sites (name, url)
        SELECT name, url FROM disk.sites WHERE id IN
            (SELECT site FROM disk.streaks UNION SELECT site FROM disk.outages WHERE ended IS NULL
             UNION SELECT site FROM disk.maintenance UNION SELECT site FROM disk.alerts);
    INSERT OR IGNORE INTO main.outages
            (site, since, confirmed, ended, causes, last_good, acknowledged, note, lasted_us, untold)
        SELECT m.id, o.since, o.confirmed, o.ended, o.causes, o.last_good, o.acknowledged, o.note,
            o.lasted_us, o.untold
        FROM disk.outages o JOIN disk.sites d ON d.id = o.site
        JOIN main.sites m ON m.name = d.name AND m.url = d.url WHERE o.ended IS NULL;
    INSERT OR IGNORE INTO main.streaks
        SELECT m.id, k.failures, k.good, k.since, k.causes, k.last_good, k.good_since, k.written
        FROM disk.streaks k JOIN disk.sites d ON d.id = k.site
        JOIN main.sites m ON m.name = d.name AND m.url = d.url;
    INSERT OR IGNORE INTO main.outbox
            (id, outage, owner, channel, site, at, subject, body, facts, state, attempts, next,
             answer, settled, event, digest)
        SELECT b.id, mo.id, b.owner, b.channel, b.site, b.at, b.subject, b.body, b.facts, b.state,
               b.attempts, b.next, b.answer, b.settled, b.event, b.digest
        FROM disk.outbox b
        LEFT JOIN disk.outages o ON o.id = b.outage
        LEFT JOIN disk.sites d ON d.id = o.site
        LEFT JOIN main.sites m ON m.name = d.name AND m.url = d.url
        LEFT JOIN main.outages mo ON mo.site = m.id AND mo.since = o.since
        WHERE b.state IN ({PENDING}, {BATCHING}) OR b.state = {IN_DIGEST} AND b.digest IN
            (SELECT id FROM disk.outbox WHERE state = {PENDING});
    INSERT OR IGNORE INTO main.alerts
        SELECT m.id, a.state FROM disk.alerts a JOIN disk.sites d ON d.id = a.site
        JOIN main.sites m ON m.name = d.name AND m.url = d.url;
    INSERT OR IGNORE INTO main.monitor_alerts SELECT name, state FROM disk.monitor_alerts;
    INSERT OR IGNORE INTO main.maintenance
        SELECT m.id, w.until, w.begun FROM disk.maintenance w JOIN disk.sites d ON d.id = w.site
        JOIN main.sites m ON m.name = d.name AND m.url = d.url;
"
    )
}

/// What the database in memory has besides: outcomes of messages that only the file has.
pub(super) const MEMORY_TABLES: &str = "
    CREATE TABLE settled_elsewhere (
        id TEXT PRIMARY KEY, state INTEGER NOT NULL, answer TEXT, settled INTEGER);
";

/// From memory into the file: of every site of this run what is open is what memory has.
const FORGET_IN_FILE: &str = "
    DELETE FROM disk.streaks WHERE site IN
        (SELECT d.id FROM main.sites m JOIN disk.sites d ON d.name = m.name AND d.url = m.url);
    DELETE FROM disk.alerts WHERE site IN
        (SELECT d.id FROM main.sites m JOIN disk.sites d ON d.name = m.name AND d.url = m.url);
    DELETE FROM disk.maintenance WHERE site IN
        (SELECT d.id FROM main.sites m JOIN disk.sites d ON d.name = m.name AND d.url = m.url);
";

/// From memory into the file: everything that has happened meanwhile. An outage of which memory
/// knew the end alone has `confirmed` equal to `since`: what else is known of it stays.
const TO_FILE: &str = "
    INSERT OR IGNORE INTO disk.sites (name, url) SELECT name, url FROM main.sites;
    INSERT INTO disk.outages (site, since, confirmed, ended, causes, last_good, acknowledged, note, lasted_us, untold)
        SELECT d.id, o.since, o.confirmed, o.ended, o.causes, o.last_good, o.acknowledged, o.note,
            o.lasted_us, o.untold
        FROM main.outages o JOIN main.sites m ON m.id = o.site
        JOIN disk.sites d ON d.name = m.name AND d.url = m.url
        WHERE true
        ON CONFLICT (site, since) DO UPDATE SET ended = excluded.ended, causes = excluded.causes,
            lasted_us = excluded.lasted_us, untold = excluded.untold,
            acknowledged = CASE WHEN excluded.confirmed = excluded.since
                THEN coalesce(excluded.acknowledged, acknowledged) ELSE excluded.acknowledged END,
            note = CASE WHEN excluded.confirmed = excluded.since
                THEN coalesce(excluded.note, note) ELSE excluded.note END;
    INSERT OR REPLACE INTO disk.streaks
        SELECT d.id, k.failures, k.good, k.since, k.causes, k.last_good, k.good_since, k.written
        FROM main.streaks k JOIN main.sites m ON m.id = k.site
        JOIN disk.sites d ON d.name = m.name AND d.url = m.url;
    INSERT OR REPLACE INTO disk.alerts
        SELECT d.id, a.state FROM main.alerts a JOIN main.sites m ON m.id = a.site
        JOIN disk.sites d ON d.name = m.name AND d.url = m.url;
    INSERT OR REPLACE INTO disk.monitor_alerts SELECT name, state FROM main.monitor_alerts;
    INSERT OR REPLACE INTO disk.maintenance
        SELECT d.id, w.until, w.begun FROM main.maintenance w JOIN main.sites m ON m.id = w.site
        JOIN disk.sites d ON d.name = m.name AND d.url = m.url;
    INSERT INTO disk.outbox
            (id, outage, owner, channel, site, at, subject, body, facts, state, attempts, next, answer, settled,
             event, digest)
        SELECT b.id, o.id, b.owner, b.channel, b.site, b.at, b.subject, b.body, b.facts, b.state,
               b.attempts, b.next, b.answer, b.settled, b.event, b.digest
        FROM main.outbox b
        LEFT JOIN main.outages mo ON mo.id = b.outage
        LEFT JOIN main.sites m ON m.id = mo.site
        LEFT JOIN disk.sites d ON d.name = m.name AND d.url = m.url
        LEFT JOIN disk.outages o ON o.site = d.id AND o.since = mo.since
        WHERE true
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
            next = excluded.next, answer = excluded.answer, settled = excluded.settled,
            digest = excluded.digest;
    UPDATE disk.outbox AS b SET state = u.state, answer = u.answer, settled = u.settled,
            attempts = b.attempts + 1
        FROM main.settled_elsewhere u WHERE u.id = b.id;
    INSERT OR IGNORE INTO disk.results
        SELECT r.at, d.id, r.reason, r.status, r.latency_us, r.late_ms, r.seen_ms, r.maintenance_ms
        FROM main.results r JOIN main.sites m ON m.id = r.site
        JOIN disk.sites d ON d.name = m.name AND d.url = m.url ORDER BY r.at;
    INSERT OR IGNORE INTO disk.missed
        SELECT r.at, d.id, r.seen_ms, r.maintenance_ms FROM main.missed r JOIN main.sites m ON m.id = r.site
        JOIN disk.sites d ON d.name = m.name AND d.url = m.url ORDER BY r.at;
";

/// Copies from the file what is open. It can be read while another program holds the lock that
/// only writers need.
pub(super) fn copy_from_file(memory: &Connection, file: &Path) -> rusqlite::Result<()> {
    with(
        memory,
        file,
        TransactionBehavior::Deferred,
        &[&from_file_sql()],
    )
}

/// Copies into the file what has happened meanwhile, all of it or nothing. Unless memory is
/// complete, what is open in the file and not in memory stays so.
pub(super) fn copy_to_file(
    memory: &Connection,
    file: &Path,
    is_complete: bool,
) -> rusqlite::Result<()> {
    let forget = if is_complete { FORGET_IN_FILE } else { "" };
    with(
        memory,
        file,
        TransactionBehavior::Immediate,
        &[forget, TO_FILE],
    )
}

fn with(
    memory: &Connection,
    file: &Path,
    behavior: TransactionBehavior,
    statements: &[&str],
) -> rusqlite::Result<()> {
    memory.execute("ATTACH DATABASE ?1 AS disk", [&*file.to_string_lossy()])?;
    let done = (|| {
        let transaction = Transaction::new_unchecked(memory, behavior)?;
        for sql in statements {
            transaction.execute_batch(sql)?;
        }
        transaction.commit()
    })();
    let detached = memory.execute_batch("DETACH DATABASE disk");
    done.and(detached)
}

/// Deletes the oldest results beyond `most` from memory; returns how many were deleted.
pub(super) fn trim(memory: &Connection, most: usize) -> rusqlite::Result<u64> {
    let mut gone = 0;
    for table in ["results", "missed"] {
        let count: usize =
            memory.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })?;
        if count > most {
            let deleted = memory.execute(
                &format!(
                    "DELETE FROM {table} WHERE at IN
                         (SELECT at FROM {table} ORDER BY at LIMIT ?1)"
                ),
                [count - most],
            )?;
            gone += deleted as u64;
        }
    }
    Ok(gone)
}
