//! Plays a seed; what fails is made as small as it gets, and says how it is played again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::expected::end_of;
use super::script::{HOUR, Script};
use super::world::World;

fn play(script: Script) -> Result<(), String> {
    // A panic is told once, with the faults that lead to it.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let played = catch_unwind(AssertUnwindSafe(|| World::new(script).play().map(|_| ())));
    std::panic::set_hook(hook);
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    })
}

/// Plays a seed. `Err`: what broke, in the smallest world in which it still does.
pub(crate) fn play_seed(seed: u64) -> Result<f64, String> {
    let script = Script::of_seed(seed);
    let days = end_of(&script) as f64 / (24 * HOUR) as f64 * script.sites.len() as f64;
    let Err(first) = play(script.clone()) else {
        return Ok(days);
    };
    let mut left_out = Vec::new();
    let mut broken = first;
    for number in (0..script.faults.len()).rev() {
        left_out.push(number);
        match play(script.without(&left_out)) {
            Err(still) => broken = still,
            Ok(()) => {
                left_out.pop();
            }
        }
    }
    let small = script.without(&left_out);
    let faults: String = small
        .faults
        .iter()
        .map(|fault| {
            let (at, lasts) = (fault.at as f64 / 1e9, fault.lasts as f64 / 1e9);
            format!("  at {at:.3} s for {lasts:.3} s: {:?}\n", fault.kind)
        })
        .collect();
    let sites: String = small
        .sites
        .iter()
        .enumerate()
        .map(|(number, site)| format!("  site-{number}: {site:?}\n"))
        .collect();
    Err(format!(
        "{broken}\nfaults that are needed:\n{faults}sites:\n{sites}owners: {:?}\n\
         canaries: {}, workers: {}, digest: {} s, calm after {} s\n\
         again: SEED={seed} cargo nextest run --test simulation fresh_seeds",
        small.owners,
        small.canaries,
        small.workers,
        small.digest / 1_000_000_000,
        small.calm / 1_000_000_000,
    ))
}
