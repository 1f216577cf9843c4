//! Tests of the whole room: rows that are written are found again, rolled up and packed.

mod fixture;
mod rollups;
mod storing;
