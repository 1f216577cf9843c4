//! The corpus, and mutations of it, for every target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use fastrand::Rng;

use super::corpus::inputs;
use super::mutate::mutate;
use super::targets::{TARGETS, Target};

/// Mutations of each target in an ordinary run, from the same seed.
const INPUTS: u64 = 400;

/// Allocations are counted for the whole process, so targets take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Runs `work` with as much stack as the thread of a program's `main` has.
fn on_a_main_thread(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    if let Err(panic) = thread.spawn(work).expect("a thread").join() {
        std::panic::resume_unwind(panic);
    }
}

/// Replays a target's corpus and as many mutations as `FUZZ_INPUTS` says.
fn play(name: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::named(name).expect("a target");
    let corpus = inputs(name);
    assert!(!corpus.is_empty(), "{name} has no corpus");
    // What is made once for all inputs is not memory of any of them.
    target.warm_up(&corpus[0].1);
    for (file, bytes) in &corpus {
        take(target, file, bytes);
    }
    let asked = std::env::var("FUZZ_INPUTS").ok();
    let asked: Option<u64> = asked.map(|text| text.parse().expect("a number of inputs"));
    let seed = match std::env::var("FUZZ_SEED") {
        Ok(text) => text.parse().expect("a seed"),
        Err(_) if asked.is_some() => fastrand::u64(..),
        Err(_) => 0,
    };
    let mut rng = Rng::with_seed(seed);
    let number = asked.unwrap_or(INPUTS);
    let mut most = 0;
    for _ in 0..number {
        let [one, other] = [(); 2].map(|()| &corpus[rng.usize(..corpus.len())].1);
        let bytes = mutate(&mut rng, one, other, target.words);
        most = most.max(take(target, "a mutation", &bytes));
    }
    println!("{name}: {number} inputs of seed {seed}, at most {most} bytes of memory");
}

/// Where an input is kept that was not borne. `FUZZ_KEEP=1` keeps every one before it is read:
/// one that ends the process leaves no other trace.
fn place(target: &Target) -> PathBuf {
    std::env::temp_dir().join(format!("fuzz-{}", target.name))
}

fn take(target: &Target, name: &str, bytes: &[u8]) -> usize {
    if std::env::var_os("FUZZ_KEEP").is_some() {
        std::fs::write(place(target), bytes).expect("a file");
    }
    match catch_unwind(AssertUnwindSafe(|| target.take(bytes))) {
        Ok(took) => took,
        Err(_) => {
            let place = place(target);
            let kept = std::fs::write(&place, bytes);
            panic!(
                "{} on {name}, kept in {} ({kept:?}); it belongs into tests/fuzz/corpus/{}:\n{:?}",
                target.name,
                place.display(),
                target.name,
                String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)])
            );
        }
    }
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            on_a_main_thread(|| play(stringify!($name)));
        })*

        #[test]
        fn every_target_is_replayed() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
        }
    };
}

replayed!(config list kuma gatus blackbox history_lines database child task task_result task_event http1 http2 starttls certificate name_reply name_files tls_hello terminal);
