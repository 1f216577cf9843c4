//! What can be asked of the history about letters.

use rusqlite::{Row, params};

use crate::domain::Timestamp;

use super::book::{Book, BookError, progress};
use super::records::{Letter, Posted, Progress};

/// How many letters there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PostCount {
    /// Not delivered yet.
    pub pending: u64,
    /// Delivered.
    pub sent: u64,
    /// Given up.
    pub failed: u64,
}

pub(super) const COLUMNS: &str = "id, owner, channel, site, at, subject, body, facts, state, \
                                  attempts, next, answer, settled, event";

impl Book<'_> {
    /// Pending letters of a channel to anybody but `except`, those that are due first come
    /// first, at most `most`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pending(
        &self,
        channel: &str,
        except: &[Box<str>],
        most: usize,
    ) -> Result<Vec<Posted>, BookError> {
        let except = serde_json::to_string(except).unwrap_or_default();
        self.sound((|| {
            self.store
                .connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM outbox
                     WHERE state = 0 AND channel = ?1
                         AND owner NOT IN (SELECT value FROM json_each(?3))
                     ORDER BY next LIMIT ?2"
                ))?
                .query_map(params![channel, most, except], posted)?
                .collect()
        })())
    }

    /// The latest letters, newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn outbox(&self, most: usize) -> Result<Vec<Posted>, BookError> {
        self.sound((|| {
            self.store
                .connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM outbox WHERE state <> 4
                     ORDER BY number DESC LIMIT ?1"
                ))?
                .query_map([most], posted)?
                .collect()
        })())
    }

    /// How many letters are pending: fewer questions to the file than [`Book::post_count`].
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pending_count(&self) -> Result<u64, BookError> {
        self.sound((|| {
            self.store
                .connection
                .prepare_cached("SELECT count(*) FROM outbox WHERE state IN (0, 3)")?
                .query_row([], |row| row.get(0))
        })())
    }

    /// How many letters are pending, sent and failed.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn post_count(&self) -> Result<PostCount, BookError> {
        self.sound((|| {
            let mut count = PostCount::default();
            let mut query = self.store.connection.prepare_cached(
                "SELECT state, count(*) FROM outbox WHERE state <> 4 GROUP BY state",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let number: u64 = row.get(1)?;
                *match progress(row.get(0)?) {
                    Progress::Pending => &mut count.pending,
                    Progress::Sent => &mut count.sent,
                    Progress::Failed => &mut count.failed,
                } += number;
            }
            Ok(count)
        })())
    }
}

pub(super) fn posted(row: &Row<'_>) -> rusqlite::Result<Posted> {
    Ok(Posted {
        letter: Letter {
            id: row.get(0)?,
            owner: row.get(1)?,
            channel: row.get(2)?,
            site: row.get(3)?,
            at: Timestamp::from_micros(row.get(4)?),
            subject: row.get(5)?,
            body: row.get(6)?,
            facts: row.get(7)?,
            event: row.get(13)?,
            gathers: false,
            not_before: None,
        },
        progress: progress(row.get(8)?),
        attempts: row.get(9)?,
        next: Timestamp::from_micros(row.get(10)?),
        answer: row.get(11)?,
        settled: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_micros),
    })
}
