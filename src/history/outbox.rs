//! The outbox table: messages that wait for delivery or were delivered, and the queries
//! about them.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::domain::Timestamp;

use super::outbox_state::{BATCHING, FAILED, IN_DIGEST, OutboxState, PENDING, SENT};
use super::queries::{Queries, QueryError};
use super::rows::{DeliveryState, Message, MessageStatus, OutboxUpdate, QueuedMessage};

/// The number of messages in each state of delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// The number of messages that a rule holds back: quiet hours, or a digest.
    pub waiting: u64,
    /// Messages on their way to their first attempt.
    pub pending: u64,
    /// Messages that wait for another attempt.
    pub retrying: u64,
    /// Messages that were delivered.
    pub sent: u64,
    /// Messages that were given up.
    pub failed: u64,
}

pub(super) const COLUMNS: &str = "id, owner, channel, site, at, subject, body, facts, state, \
                                  attempts, next, answer, settled, event";

impl Queries<'_> {
    /// The messages of these kinds of events that wait to be sent.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn waiting(&self, kinds: &[&str]) -> Result<Vec<Message>, QueryError> {
        let kinds = serde_json::to_string(kinds).unwrap_or_default();
        self.checked((|| {
            self.store
                .connection
                .prepare(&format!(
                    "SELECT {COLUMNS} FROM outbox WHERE state IN ({PENDING}, {BATCHING})
                         AND event IN (SELECT value FROM json_each(?1))"
                ))?
                .query_map([kinds], |row| Ok(queued(row)?.message))?
                .collect()
        })())
    }

    /// The latest messages, newest first; those that a digest replaced are left out.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn outbox(&self, most: usize) -> Result<Vec<QueuedMessage>, QueryError> {
        self.checked((|| {
            self.store
                .connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM outbox WHERE state <> {IN_DIGEST}
                     ORDER BY number DESC LIMIT ?1"
                ))?
                .query_map([most], queued)?
                .collect()
        })())
    }

    /// The number of pending messages: one count instead of those of [`Queries::outbox_counts`].
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pending_count(&self) -> Result<u64, QueryError> {
        self.checked((|| {
            self.store
                .connection
                .prepare_cached(&format!(
                    "SELECT count(*) FROM outbox WHERE state IN ({PENDING}, {BATCHING})"
                ))?
                .query_row([], |row| row.get(0))
        })())
    }

    /// The number of messages in each state; those that a digest replaced are left out.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn outbox_counts(&self) -> Result<OutboxCounts, QueryError> {
        self.checked((|| {
            let mut count = OutboxCounts::default();
            let mut query = self.store.connection.prepare_cached(&format!(
                "SELECT state, attempts > 0, count(*) FROM outbox WHERE state <> {IN_DIGEST}
                 GROUP BY 1, 2"
            ))?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let (attempts, number): (u32, u64) = (row.get(1)?, row.get(2)?);
                *match row.get::<_, OutboxState>(0)?.delivery(attempts) {
                    DeliveryState::Waiting => &mut count.waiting,
                    DeliveryState::Pending => &mut count.pending,
                    DeliveryState::Retrying => &mut count.retrying,
                    DeliveryState::Sent => &mut count.sent,
                    DeliveryState::Failed => &mut count.failed,
                } += number;
            }
            Ok(count)
        })())
    }

    /// The messages about an outage.
    pub(super) fn told(&self, outage: i64) -> rusqlite::Result<Vec<MessageStatus>> {
        let mut query = self.store.connection.prepare_cached(
            "SELECT l.owner, l.channel, coalesce(d.state, l.state), coalesce(d.settled, l.settled),
                    coalesce(d.id, l.id), coalesce(d.attempts, l.attempts)
             FROM outbox l LEFT JOIN outbox d ON d.id = l.digest
             WHERE l.outage = ?1 ORDER BY l.number",
        )?;
        let rows = query.query_map([outage], |row| {
            Ok(MessageStatus {
                owner: row.get(0)?,
                channel: row.get(1)?,
                delivery: row.get::<_, OutboxState>(2)?.delivery(row.get(5)?),
                settled: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_micros),
                id: row.get(4)?,
            })
        })?;
        rows.collect()
    }
}

pub(super) fn queued(row: &Row<'_>) -> rusqlite::Result<QueuedMessage> {
    Ok(QueuedMessage {
        message: Message {
            id: row.get(0)?,
            owner: row.get(1)?,
            channel: row.get(2)?,
            site: row.get(3)?,
            at: Timestamp::from_micros(row.get(4)?),
            subject: row.get(5)?,
            body: row.get(6)?,
            facts: row.get(7)?,
            event: row.get(13)?,
            batched: false,
            not_before: None,
        },
        delivery: row.get::<_, OutboxState>(8)?.delivery(row.get(9)?),
        attempts: row.get(9)?,
        next: Timestamp::from_micros(row.get(10)?),
        answer: row.get(11)?,
        settled: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_micros),
    })
}

/// Inserts a message into the outbox, unless one of its id is there.
pub(super) fn insert(
    transaction: &Connection,
    message: &Message,
    outage: Option<i64>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO outbox
                 (id, outage, owner, channel, site, at, subject, body, facts, next, event, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?12, ?10, ?11)",
        )?
        .execute(params![
            message.id,
            outage,
            message.owner,
            message.channel,
            message.site,
            message.at.as_micros(),
            message.subject,
            message.body,
            message.facts,
            message.event,
            if message.batched {
                OutboxState::Batching
            } else {
                OutboxState::Pending
            },
            message.not_before.unwrap_or(message.at).as_micros(),
        ])?;
    Ok(())
}

/// Stores the outcome of a message that only the file has, in memory.
pub(super) fn settle_elsewhere(
    transaction: &Transaction<'_>,
    id: &str,
    update: &OutboxUpdate,
    answer: Option<&str>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let state = match update {
        OutboxUpdate::Sent => SENT,
        OutboxUpdate::Failed => FAILED,
        OutboxUpdate::Over => IN_DIGEST,
        OutboxUpdate::Retry(_) | OutboxUpdate::SendAgain => return Ok(()),
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO settled_elsewhere VALUES (?1, ?2, ?3, ?4)")?
        .execute((id, state, answer, at.as_micros()))?;
    Ok(())
}

/// Stores the outcome of an attempt, or the wish for another one; returns whether there is such
/// a message.
pub(super) fn update(
    transaction: &Transaction<'_>,
    id: &str,
    update: &OutboxUpdate,
    answer: Option<&str>,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let at = at.as_micros();
    let settle = |state: i64| {
        format!(
            "UPDATE outbox SET state = {state}, attempts = attempts + 1, answer = ?2, settled = ?3
             WHERE id = ?1"
        )
    };
    let (sql, time) = match update {
        OutboxUpdate::Sent => (settle(SENT), at),
        OutboxUpdate::Failed => (settle(FAILED), at),
        OutboxUpdate::Retry(next) => (
            format!(
                "UPDATE outbox SET attempts = attempts + 1, answer = ?2, next = ?3
                 WHERE id = ?1 AND state = {PENDING}"
            ),
            next.as_micros(),
        ),
        // The last answer stays until there is another.
        OutboxUpdate::SendAgain => (
            format!(
                "UPDATE outbox SET state = {PENDING}, settled = NULL, next = ?3,
                     answer = coalesce(?2, answer)
                 WHERE id = ?1 AND state <> {SENT}"
            ),
            at,
        ),
        OutboxUpdate::Over => (
            format!(
                "UPDATE outbox SET state = {IN_DIGEST}, settled = ?3, digest = NULL,
                     answer = coalesce(?2, answer)
                 WHERE id = ?1 AND (state IN ({PENDING}, {BATCHING}) OR digest IS NOT NULL)"
            ),
            at,
        ),
    };
    let over = *update == OutboxUpdate::Over;
    let digest: Option<Box<str>> = if over {
        let sql = "SELECT digest FROM outbox WHERE id = ?1 AND digest IS NOT NULL";
        let mut digest = transaction.prepare_cached(sql)?;
        digest.query_row([id], |row| row.get(0)).optional()?
    } else {
        None
    };
    let updated = transaction
        .prepare_cached(&sql)?
        .execute((id, answer, time))?;
    if let Some(digest) = digest {
        // A digest of which nothing is left is over as well.
        let sql = format!(
            "UPDATE outbox SET state = {IN_DIGEST}, settled = ?2
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE digest = ?1)"
        );
        let mut empty = transaction.prepare_cached(&sql)?;
        empty.execute(params![digest, at])?;
    }
    Ok(updated > 0)
}
