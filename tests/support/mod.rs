//! What the tests of the program share: servers with real faults on loopback, the scenarios
//! they play, certificates for them, and a way to run the real binary.
//!
//! Behaviour is data: `tests/scenarios/*.toml`. A new case is one table in one of them.

mod bytes;
mod certs;
mod contract;
mod expect;
mod faketime;
mod kernel;
mod processes;
mod redis;
mod scenario;
mod servers;
mod squirrel;
mod tape;
mod terminal;

pub(crate) use bytes::{gzip_bomb, unescape};
pub(crate) use certs::{CertKind, Certificates};
pub(crate) use contract::{check_line, unsafe_characters};
pub(crate) use expect::{Expect, mismatches};
pub(crate) use faketime::faketime;
pub(crate) use kernel::{
    Task, children_of, own_peak_memory, peak_memory, processor_time, read_calls, tasks_of, wake_ups,
};
pub(crate) use processes::{descendants, process_state, send, until};
pub(crate) use redis::Redis;
pub(crate) use scenario::{Scenario, Script, all_scenarios, scenarios_dir};
pub(crate) use servers::{Answer, Fleet, MailServer, Mood, PostServer, Posted, Privacy, Server};
pub(crate) use squirrel::{Finished, Running, Squirrel};
pub(crate) use tape::{Frame, Tape, find};
pub(crate) use terminal::Terminal;

/// The paradigms that every scenario runs under: all that the program has.
pub(crate) fn paradigms() -> impl Iterator<Item = &'static str> {
    uptime_squirrel::paradigm::names().into_iter()
}
