//! Messages that wait become the one that is sent: alone, or several as a digest.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::Serialize;

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
        let connection = &self.store.connection;
        if !connection.is_autocommit() {
            return self.checked(in_savepoint(connection, || {
                run(connection, composition, now, compose)
            }));
        }
        self.checked((|| {
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            let message = run(&transaction, composition, now, compose)?;
            transaction.commit()?;
            Ok(message)
        })())
    }

    /// Composes what all of `work` compose in one transaction, and tells each once that is kept, or
    /// why it is not.
    pub(super) fn compose_all(&self, work: impl IntoIterator<Item = Compose>) {
        let connection = &self.store.connection;
        let mut composed = Vec::new();
        let kept = self.checked((|| {
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            composed.extend(work.into_iter().map(|work| work(self)));
            transaction.commit()
        })());
        for tell in composed {
            tell(kept.clone());
        }
    }
}

/// Composes a message; gives what is to be called once the message is kept, or is not.
pub(super) type Compose =
    Box<dyn FnOnce(&Queries<'_>) -> Box<dyn FnOnce(Result<(), QueryError>)> + Send>;

/// Runs `work`, of which nothing is kept if it fails, within the transaction that is open.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("SAVEPOINT message")?;
    let worked = work();
    if worked.is_err() {
        connection.execute_batch("ROLLBACK TO message")?;
    }
    connection.execute_batch("RELEASE message")?;
    worked
}

fn run(
    transaction: &Connection,
    composition: &Composition,
    now: i64,
    compose: impl Fn(&[Message]) -> Option<Message>,
) -> rusqlite::Result<Option<Message>> {
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
    let kept = find(transaction, &[id])?.pop();
    let is_new = kept.is_none();
    let known = kept.filter(|_| same);
    let message = if let Some(known) = known {
        known
    } else {
        let Some(mut message) = compose(&find(transaction, messages)?) else {
            return Ok(None);
        };
        message.id.clone_from(id);
        if is_new {
            outbox::insert(transaction, &message, None)?;
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
    // What this message told of before, and does not any more, waits again.
    let mut leave = transaction.prepare_cached(&format!(
        "UPDATE outbox SET state = {BATCHING}, digest = NULL, settled = NULL WHERE id = ?1"
    ))?;
    for part in before.iter().filter(|part| !wanted.contains(&***part)) {
        leave.execute([part])?;
    }
    let wanted = list(&wanted);
    let mut digests = transaction.prepare_cached(
        "SELECT DISTINCT digest FROM outbox
         WHERE id IN (SELECT value FROM json_each(?1)) AND digest <> ?2",
    )?;
    let digests: Vec<Box<str>> = digests
        .query_map(params![wanted, id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut told_by = transaction.prepare_cached(&format!(
        "UPDATE outbox SET state = {IN_DIGEST}, digest = ?2, settled = ?3
         WHERE id IN (SELECT value FROM json_each(?1)) AND id <> ?2"
    ))?;
    told_by.execute(params![wanted, id, now])?;
    // A digest of which nothing else is left is told by this one.
    let mut is_told_by = transaction.prepare_cached("SELECT 1 FROM outbox WHERE digest = ?1")?;
    for other in digests {
        if !is_told_by.exists([&other])? {
            told_by.execute(params![list(&[other]), id, now])?;
        }
    }
    Ok(Some(message))
}

/// The messages of these ids that are there, in their order.
fn find(connection: &Connection, ids: &[impl AsRef<str>]) -> rusqlite::Result<Vec<Message>> {
    let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    let found: HashMap<Box<str>, Message> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE id IN (SELECT value FROM json_each(?1))"
        ))?
        .query_map([list(&ids)], |row| Ok(queued(row)?.message))?
        .map(|message| message.map(|message| (message.id.clone(), message)))
        .collect::<Result<_, _>>()?;
    Ok(ids
        .iter()
        .filter_map(|id| found.get(*id))
        .cloned()
        .collect())
}

/// A list of ids as a parameter of a statement.
fn list(ids: &(impl Serialize + ?Sized)) -> String {
    // Serializing texts cannot fail.
    serde_json::to_string(ids).unwrap_or_default()
}
