//! Tests of whole screens.

mod harness;
mod keys;
mod random;
mod shots;
