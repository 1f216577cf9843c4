//! Tests of the whole room: rows that are written are found again, rolled up and packed.

mod fixture;
mod messages;
mod retention;
mod rollups;
mod storing;
