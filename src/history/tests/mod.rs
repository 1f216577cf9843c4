//! Tests of the whole room: what is written is found again, summed up and packed.

mod fixture;
mod rollups;
mod storing;
