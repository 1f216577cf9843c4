//! One target of `tests/fuzz/targets.rs`, the one that the binary is called after, driven by
//! libFuzzer. Half of the mutations are libFuzzer's own, half those that keep the grammar.
#![no_main]

#[path = "../tests/fuzz"]
#[expect(dead_code, reason = "the test that replays the corpus asks for more")]
mod fuzz {
    mod database;
    mod memory;
    pub(super) mod mutate;
    mod seeds;
    pub(super) mod targets;
    mod terminal;
}

use std::sync::LazyLock;

use fastrand::Rng;
use fuzz::mutate::mutate;
use fuzz::targets::Target;
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let target = Target::named(env!("CARGO_BIN_NAME")).expect("a target");
    // What is made once for all inputs is not memory of any of them.
    target.warm_up(b"");
    target
});

fuzz_target!(|bytes: &[u8]| {
    TARGET.take(bytes);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut rng = Rng::with_seed(seed.into());
    put(
        data,
        &mutate(
            &mut rng,
            &data[..size].to_vec(),
            &data[..size].to_vec(),
            TARGET.words,
        ),
        max_size,
    )
});

fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    let mut rng = Rng::with_seed(seed.into());
    let most = out.len();
    put(out, &mutate(&mut rng, one, other, TARGET.words), most)
});

/// Writes as much as fits; gives its length.
fn put(data: &mut [u8], bytes: &[u8], most: usize) -> usize {
    let length = bytes.len().min(most).min(data.len());
    data[..length].copy_from_slice(&bytes[..length]);
    length
}
