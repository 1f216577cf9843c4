//! Plays seeds: those that failed before, and fresh ones for as long as there is time, or the one
//! that the variable `SEED` names.

use std::time::{Duration, Instant};

use super::player::play_seed;
use super::script::NEWEST_SEEDS;

const FAILED_BEFORE: &str = include_str!("seeds.txt");

#[test]
fn seeds_that_failed_before_hold() {
    for line in FAILED_BEFORE.lines().filter(|line| !line.is_empty()) {
        let seed = line.trim().parse().unwrap();
        if let Err(broken) = play_seed(seed) {
            panic!("seed {seed}: {broken}");
        }
    }
}

#[test]
fn fresh_seeds_hold() {
    if let Ok(seed) = std::env::var("SEED") {
        let seed = seed.parse().expect("SEED is a number");
        let days = play_seed(seed).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        println!("{days:.0} site-days of one world");
        return;
    }
    let seconds = std::env::var("SIMULATION_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(20.0);
    let first = std::env::var("SIMULATION_FIRST_SEED").ok();
    let first = first.and_then(|text| text.parse().ok());
    let began = Instant::now();
    let (mut days, mut worlds) = (0.0, 0_u64);
    let mut seed: u64 = first.unwrap_or_else(|| NEWEST_SEEDS + fastrand::u64(..1 << 48));
    println!("seeds from {seed} on");
    while began.elapsed() < Duration::from_secs_f64(seconds) {
        match play_seed(seed) {
            Ok(played) => days += played,
            Err(broken) => {
                println!("{days:.0} site-days held before");
                panic!("seed {seed}: {broken}");
            }
        }
        (seed, worlds) = (seed + 1, worlds + 1);
    }
    let rate = days / began.elapsed().as_secs_f64();
    println!("{days:.0} site-days of {worlds} worlds, {rate:.0} a second");
}
