//! How fast the simulated world of `tests/simulation` goes by, and for how long its promises
//! hold: fresh seeds for a minute, or for as long as `SIMULATION_SECONDS` says.
//!
//! `cargo bench --bench simulation [-- --quick]`

#[path = "support/table.rs"]
mod table;

#[path = "../tests/simulation"]
#[expect(dead_code, reason = "the scenarios, which are tests, ask for more")]
mod simulation {
    mod at_rest;
    mod events;
    mod expected;
    mod faults;
    pub(super) mod player;
    mod promises;
    pub(super) mod script;
    mod setting;
    mod store;
    mod truth;
    mod workers;
    mod world;
}

use std::error::Error;
use std::time::{Duration, Instant};

use simulation::player::play_seed;
use simulation::script::NEWEST_SEEDS;
use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(mut table) = Table::asked("The simulated world") else {
        return Ok(());
    };
    let asked = std::env::var("SIMULATION_SECONDS").ok();
    let asked = asked.and_then(|text| text.parse().ok());
    let seconds = asked.unwrap_or(if table.quick { 5.0 } else { 60.0 });
    let first = NEWEST_SEEDS + fastrand::u64(..1 << 48);
    let began = Instant::now();
    let (mut days, mut worlds) = (0.0, 0_u64);
    while began.elapsed() < Duration::from_secs_f64(seconds) {
        let seed = first + worlds;
        days += play_seed(seed).map_err(|broken| format!("seed {seed}: {broken}"))?;
        worlds += 1;
    }
    let took = began.elapsed().as_secs_f64();
    table.note("seeds", format!("{first} to {}", first + worlds - 1));
    table.note("site-days in which all promises held", format!("{days:.0}"));
    table.at_most("1,000 site-days", took / days * 1_000.0, 1.0, " s");
    table.print()?;
    Ok(())
}
