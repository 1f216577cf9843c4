//! The engine as it ships, in a world that is simulated: sites that go down, networks that are
//! cut, workers that stand still, channels that refuse, clocks that jump, and a process that
//! is killed between any two effects. The world knows the truth, and holds the engine to what
//! is promised.
//!
//! `SEED=123 cargo nextest run --test simulation fresh_seeds` plays one world again;
//! `SIMULATION_SECONDS=600` plays fresh ones for longer.

#[cfg(test)]
mod simulation {
    mod at_rest;
    mod events;
    mod expected;
    mod faults;
    mod player;
    mod promises;
    mod runner;
    mod scenarios;
    mod script;
    mod setting;
    mod store;
    mod truth;
    mod workers;
    mod world;
}
