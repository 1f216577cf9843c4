//! Letters on their way: rows of the outbox.

use rusqlite::{Transaction, params};

use crate::domain::Timestamp;

use super::records::{Letter, Mark};

/// A letter that may be sent.
const PENDING: i64 = 0;

/// A letter that waits for others like it.
const GATHERING: i64 = 3;

/// Keeps a letter, once.
pub(super) fn post(
    transaction: &Transaction<'_>,
    letter: &Letter,
    outage: Option<i64>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO outbox
                 (id, outage, owner, channel, site, at, subject, body, facts, next, event, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?12, ?10, ?11)",
        )?
        .execute(params![
            letter.id,
            outage,
            letter.owner,
            letter.channel,
            letter.site,
            letter.at.as_micros(),
            letter.subject,
            letter.body,
            letter.facts,
            letter.event,
            if letter.gathers { GATHERING } else { PENDING },
            letter.not_before.unwrap_or(letter.at).as_micros(),
        ])?;
    Ok(())
}

/// Keeps what became of an attempt.
pub(super) fn mark(
    transaction: &Transaction<'_>,
    id: &str,
    mark: &Mark,
    answer: Option<&str>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let at = at.as_micros();
    let (sql, next) = match mark {
        Mark::Sent => (
            "UPDATE outbox SET state = 1, attempts = attempts + 1, answer = ?2, settled = ?3
             WHERE id = ?1",
            at,
        ),
        Mark::Failed => (
            "UPDATE outbox SET state = 2, attempts = attempts + 1, answer = ?2, settled = ?3
             WHERE id = ?1",
            at,
        ),
        Mark::Retry(next) => (
            "UPDATE outbox SET attempts = attempts + 1, answer = ?2, next = ?3
             WHERE id = ?1 AND state = 0",
            next.as_micros(),
        ),
        // What the other side said last stays in view until it says something else.
        Mark::Again => (
            "UPDATE outbox SET state = 0, settled = NULL, next = ?3,
                 answer = coalesce(?2, answer)
             WHERE id = ?1 AND state <> 1",
            at,
        ),
    };
    transaction
        .prepare_cached(sql)?
        .execute((id, answer, next))?;
    Ok(())
}
