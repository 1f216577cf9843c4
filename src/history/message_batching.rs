//! Messages that wait become the one that is sent: alone, or several as a digest.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::outbox::{self, COLUMNS, queued};
use super::outbox_state::{BATCHING, IN_DIGEST, PENDING};
use super::queries::{Queries, QueryError};
use super::rows::{Composition, Message};

impl Queries<'_> {
    /// Composes the message that is sent now, and keeps it before it is: one that waits as it
    /// is or as `compose` makes it, several as a digest that takes their place. A message that
    /// was composed before of the same ones is the same again. `None` if none of them is there.
    ///
    /// # Errors
    /// If the file cannot be read or written; then nothing has changed.
    pub fn compose(
        &self,
        composition: &Composition,
        compose: impl Fn(&[Message]) -> Option<Message>,
    ) -> Result<Option<Message>, QueryError> {
        let now = self.now().as_micros();
        self.checked(run(&self.store.connection, composition, now, compose))
    }
}

fn run(
    connection: &Connection,
    composition: &Composition,
    now: i64,
    compose: impl Fn(&[Message]) -> Option<Message>,
) -> rusqlite::Result<Option<Message>> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let Composition {
        id,
        messages,
        merged,
    } = composition;
    let wanted: BTreeSet<&str> = messages.iter().chain(merged).map(|part| &**part).collect();
    let before: BTreeSet<Box<str>> = transaction
        .prepare_cached("SELECT id FROM outbox WHERE digest = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let others = wanted.iter().filter(|part| **part != &**id);
    let same = others.copied().eq(before.iter().map(|part| &**part));
    let kept = find(&transaction, id)?;
    let is_new = kept.is_none();
    let known = kept.filter(|_| same);
    let message = if let Some(known) = known {
        known
    } else {
        let mut parts = Vec::with_capacity(messages.len());
        for part in messages {
            parts.extend(find(&transaction, part)?);
        }
        let Some(mut message) = compose(&parts) else {
            return Ok(None);
        };
        message.id.clone_from(id);
        if is_new {
            outbox::insert(&transaction, &message, None)?;
        } else {
            let sql = "UPDATE outbox SET subject = ?2, body = ?3, facts = ?4 WHERE id = ?1";
            let Message {
                subject,
                body,
                facts,
                ..
            } = &message;
            transaction
                .prepare_cached(sql)?
                .execute(params![id, subject, body, facts])?;
        }
        message
    };
    transaction
        .prepare_cached(&format!(
            "UPDATE outbox SET state = {PENDING}, digest = NULL, next = ?2 WHERE id = ?1"
        ))?
        .execute(params![id, now])?;
    let mut told_by = transaction.prepare_cached(&format!(
        "UPDATE outbox SET state = {IN_DIGEST}, digest = ?2, settled = ?3
         WHERE id = ?1 AND id <> ?2"
    ))?;
    // What this message told of before, and does not any more, waits again.
    let mut leave = transaction.prepare_cached(&format!(
        "UPDATE outbox SET state = {BATCHING}, digest = NULL, settled = NULL WHERE id = ?1"
    ))?;
    for part in before.iter().filter(|part| !wanted.contains(&***part)) {
        leave.execute([part])?;
    }
    let mut digest_of = transaction
        .prepare_cached("SELECT digest FROM outbox WHERE id = ?1 AND digest IS NOT NULL")?;
    let mut is_told_by = transaction.prepare_cached("SELECT 1 FROM outbox WHERE digest = ?1")?;
    for part in &wanted {
        let other: Option<Box<str>> = digest_of.query_row([part], |row| row.get(0)).optional()?;
        told_by.execute(params![part, id, now])?;
        // A digest of which nothing else is left is told by this one.
        if let Some(other) = other
            && !is_told_by.exists([&other])?
        {
            told_by.execute(params![other, id, now])?;
        }
    }
    drop((told_by, leave, digest_of, is_told_by));
    transaction.commit()?;
    Ok(Some(message))
}

fn find(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Message>> {
    transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?
        .query_row([id], |row| Ok(queued(row)?.message))
        .optional()
}
