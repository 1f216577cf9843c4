//! `squirrel check` from outside: the real binary against real servers with real faults.
//!
//! The servers and the verdicts expected of them are data, in `tests/scenarios/`.

#[cfg(test)]
mod support;

#[cfg(test)]
mod check {
    mod broken;
    mod concurrency;
    mod exits;
    mod identity;
    mod memory;
    mod output;
    mod processes;
    mod servers;
    mod signals;
    mod sites;
    mod verdicts;
}
