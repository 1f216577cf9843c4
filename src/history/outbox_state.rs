//! The column `state` of the table `outbox`, and what may be shown of it.
//!
//! Queries have the codes as literals, built from [`OutboxState`]: SQLite uses the partial
//! indexes of the table only where the query names the number.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::rows::DeliveryState;

/// Where a message of the outbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutboxState {
    /// To be sent as soon as it is due.
    Pending,
    /// Accepted by the channel's server.
    Sent,
    /// The message was given up.
    Failed,
    /// Waits for further messages of the same event.
    Batching,
    /// Replaced by the digest whose id stands in the column `digest`; dropped, as nobody needs it
    /// any more, where there is none.
    InDigest,
}

impl OutboxState {
    pub(super) const ALL: [Self; 5] = [
        Self::Pending,
        Self::Sent,
        Self::Failed,
        Self::Batching,
        Self::InDigest,
    ];

    /// The stored number. Part of the file's format: never changed or reused.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Batching => 3,
            Self::InDigest => 4,
        }
    }

    /// As it is shown. A message in a digest has the state of the digest; where that is gone,
    /// it was not delivered as far as is known.
    /// `attempts` are those that were made.
    pub(super) const fn delivery(self, attempts: u32) -> DeliveryState {
        match self {
            Self::Batching => DeliveryState::Waiting,
            Self::Pending if attempts > 0 => DeliveryState::Retrying,
            Self::Pending => DeliveryState::Pending,
            Self::Sent => DeliveryState::Sent,
            Self::Failed | Self::InDigest => DeliveryState::Failed,
        }
    }
}

/// The codes for SQL text: `format!("… state = {PENDING}")`.
pub(super) const PENDING: i64 = OutboxState::Pending.code();
pub(super) const SENT: i64 = OutboxState::Sent.code();
pub(super) const FAILED: i64 = OutboxState::Failed.code();
pub(super) const BATCHING: i64 = OutboxState::Batching.code();
pub(super) const IN_DIGEST: i64 = OutboxState::InDigest.code();

impl FromSql for OutboxState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let code = value.as_i64()?;
        let state = Self::ALL.into_iter().find(|state| state.code() == code);
        state.ok_or(FromSqlError::OutOfRange(code))
    }
}

impl ToSql for OutboxState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.code().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::schema::MIGRATIONS;

    #[test]
    fn every_state_comes_back_from_its_code() {
        for state in OutboxState::ALL {
            let read = OutboxState::column_result(ValueRef::Integer(state.code()));
            assert_eq!(read.unwrap(), state);
        }
        assert!(OutboxState::column_result(ValueRef::Integer(5)).is_err());
    }

    #[test]
    fn the_indexes_of_the_table_have_the_same_codes() {
        let schema = MIGRATIONS.concat();
        for (index, code) in [("outbox_due", PENDING), ("outbox_gathering", BATCHING)] {
            let (_, rest) = schema.split_once(index).unwrap();
            let statement = rest.split(';').next().unwrap();
            assert!(statement.ends_with(&format!("WHERE state = {code}")));
        }
    }
}
