//! Tests of whole screens.

mod bench;
mod busy;
mod claims;
mod harness;
mod keys;
mod lanes;
mod random;
mod recollections;
mod shots;
