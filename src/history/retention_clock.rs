//! The time by which old rows are deleted. A clock that is ahead must not delete the past, so
//! this one is not the wall clock: it goes on from where it stood when the file was written
//! last, twice as fast as time passes, until it has come up to the wall clock. An hour in which
//! the clock was a year ahead costs an hour of the oldest rows; a month in which no monitor ran
//! is caught up within a month.

use rusqlite::{Connection, OptionalExtension as _};

use crate::domain::{Moment, Timestamp};

use super::open::plain;
use super::store::Store;

/// Seconds by which it advances until it is kept again.
const KEEP_STEP: i64 = 600;

/// The mark that it is kept as.
const MARK: &str = "retained";

/// The clock of retention, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetentionClock {
    /// Where it stood at `began`.
    base: i64,
    began: Moment,
    /// The time of this clock that the file has, in seconds.
    kept: Option<i64>,
}

impl RetentionClock {
    /// As [`Self::open`]; where that fails, nothing is ever old.
    pub(super) fn of(store: &Store, (began, wall): (Moment, Timestamp)) -> Self {
        let wall = wall.as_micros().div_euclid(1_000_000);
        Self::open(&store.connection, wall, began).unwrap_or_else(|error| {
            tracing::error!("what is old cannot be known: {}", plain(&error));
            Self {
                base: i64::MIN,
                began,
                kept: None,
            }
        })
    }

    /// Goes on from where it stood, in a file that has no mark of it from the newest row. In a
    /// file without rows it is the wall clock, `wall`.
    pub(super) fn open(
        connection: &Connection,
        wall: i64,
        began: Moment,
    ) -> rusqlite::Result<Self> {
        let kept: Option<i64> = connection
            .query_row("SELECT value FROM marks WHERE name = ?1", [MARK], |row| {
                row.get(0)
            })
            .optional()?;
        let base = match kept {
            Some(kept) => Some(kept),
            None => newest(connection)?,
        };
        Ok(Self {
            base: base.map_or(wall, |base| base.min(wall)),
            began,
            kept,
        })
    }

    /// Where it stands, `wall` at most.
    pub(super) fn now(&self, wall: i64, moment: Moment) -> i64 {
        if self.base == i64::MIN {
            return self.base;
        }
        let passed = moment.since(self.began).as_secs();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        self.base.saturating_add(passed.saturating_mul(2)).min(wall)
    }

    /// Keeps where it stands, now and then.
    pub(super) fn keep(&mut self, connection: &Connection, now: i64) -> rusqlite::Result<()> {
        if self.base == i64::MIN {
            return Ok(());
        }
        // Back as well: the wall clock was set back.
        if self
            .kept
            .is_some_and(|kept| now.abs_diff(kept) < KEEP_STEP.unsigned_abs())
        {
            return Ok(());
        }
        connection
            .prepare_cached("INSERT OR REPLACE INTO marks VALUES (?1, ?2)")?
            .execute((MARK, now))?;
        self.kept = Some(now);
        Ok(())
    }
}

/// The second of the newest row of results, or of what was rolled up of them.
fn newest(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row(
        "SELECT max(second) FROM (
             SELECT max(at) / 1000000 AS second FROM results
             UNION ALL SELECT max(at) / 1000000 FROM missed
             UNION ALL SELECT max(start) FROM rollup_5m
             UNION ALL SELECT max(start) FROM rollup_hour
             UNION ALL SELECT max(start) FROM rollup_day)",
        [],
        |row| row.get(0),
    )
}
