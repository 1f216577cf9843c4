//! Bytes that mean no good, for everything here that reads what others wrote. Every input ends
//! without a panic and within the memory that `tests/fuzz/targets.rs` states.
//!
//! The test replays the corpus, and a few mutations of each of its files. By hand:
//! `FUZZ_INPUTS=10000000 cargo test --release --test fuzz -- --nocapture certificate` makes as
//! many from a fresh seed, which it prints; with a nightly toolchain and `cargo install
//! cargo-fuzz`, `cargo +nightly fuzz run certificate tests/fuzz/corpus/certificate` follows the
//! code's branches.

#[cfg(test)]
mod fuzz {
    mod corpus;
    mod database;
    mod memory;
    mod mutate;
    mod replay;
    mod seeds;
    mod targets;
    mod terminal;
}
