//! Batching of messages about outages: they wait for others to the same owner by the same
//! channel about the same event, and are sent as one digest.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::domain::Timestamp;

use super::outbox;
use super::outbox::{COLUMNS, queued};
use super::outbox_state::{BATCHING, IN_DIGEST, PENDING};
use super::queries::{Queries, QueryError};
use super::rows::Message;

/// How long messages wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchingDelay {
    /// The time after the last of them ...
    pub quiet: Duration,
    /// ... and at most this time after the first.
    pub most: Duration,
}

/// Waiting messages to one owner about one kind of event.
struct Group {
    owner: Box<str>,
    event: Box<str>,
    messages: u64,
    first: i64,
    last: i64,
    /// The end of the owner's quiet hours, in microseconds since 1970; the time of the message
    /// without.
    not_before: i64,
}

impl Queries<'_> {
    /// Releases the messages of a channel that have waited long enough: a single one as it is,
    /// several replaced by the digest that `compose` makes of them. Returns when the next ones
    /// are due; `None` if none wait.
    ///
    /// # Errors
    /// If the file cannot be read or written; then nothing has changed.
    pub fn gather(
        &self,
        channel: &str,
        delay: BatchingDelay,
        compose: impl Fn(&[Message]) -> Message,
    ) -> Result<Option<Timestamp>, QueryError> {
        let now = self.now().as_micros();
        self.checked(gather(&self.store.connection, channel, delay, now, compose))
    }
}

fn gather(
    connection: &Connection,
    channel: &str,
    delay: BatchingDelay,
    now: i64,
    compose: impl Fn(&[Message]) -> Message,
) -> rusqlite::Result<Option<Timestamp>> {
    let groups: Vec<Group> = connection
        .prepare_cached(&format!(
            "SELECT owner, event, count(*), min(at), max(at), max(next) FROM outbox
             WHERE state = {BATCHING} AND channel = ?1 GROUP BY owner, event"
        ))?
        .query_map([channel], |row| {
            Ok(Group {
                owner: row.get(0)?,
                event: row.get(1)?,
                messages: row.get(2)?,
                first: row.get(3)?,
                last: row.get(4)?,
                not_before: row.get(5)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let (quiet, most) = (micros(delay.quiet), micros(delay.most));
    let mut next: Option<i64> = None;
    let mut due = Vec::new();
    for group in groups {
        let end = group
            .last
            .saturating_add(quiet)
            .min(group.first.saturating_add(most));
        // A clock that was set back does not make messages wait longer.
        let end = if end - now > most { now } else { end };
        let end = end.max(group.not_before);
        if end > now {
            next = Some(next.map_or(end, |next| next.min(end)));
        } else {
            due.push(group);
        }
    }
    if !due.is_empty() {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        for group in due {
            release(&transaction, channel, &group, now, &compose)?;
        }
        transaction.commit()?;
    }
    Ok(next.map(Timestamp::from_micros))
}

fn release(
    transaction: &Transaction<'_>,
    channel: &str,
    group: &Group,
    now: i64,
    compose: impl Fn(&[Message]) -> Message,
) -> rusqlite::Result<()> {
    let which = params![channel, group.owner, group.event, now];
    if group.messages == 1 {
        transaction
            .prepare_cached(&format!(
                "UPDATE outbox SET state = {PENDING}, next = ?4
                 WHERE state = {BATCHING} AND channel = ?1 AND owner = ?2 AND event = ?3"
            ))?
            .execute(which)?;
        return Ok(());
    }
    let members: Vec<Message> = transaction
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox
             WHERE state = {BATCHING} AND channel = ?1 AND owner = ?2 AND event = ?3
             ORDER BY number"
        ))?
        .query_map(params![channel, group.owner, group.event], |row| {
            Ok(queued(row)?.message)
        })?
        .collect::<Result<_, _>>()?;
    let digest = compose(&members);
    outbox::insert(transaction, &digest, None)?;
    transaction
        .prepare_cached(&format!(
            "UPDATE outbox SET state = {IN_DIGEST}, digest = ?5, settled = ?4
             WHERE state = {BATCHING} AND channel = ?1 AND owner = ?2 AND event = ?3"
        ))?
        .execute(params![channel, group.owner, group.event, now, digest.id])?;
    Ok(())
}
