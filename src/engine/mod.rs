//! The pure centre: everything that is believed and planned, in one value.
//!
//! ```text
//! results, ticks, configurations, keys, reports -> Input --\
//!                                                           Engine::handle(input, now) -> effects
//! dispatch, withdraw, persist, deliver, ask, announce <- Effect --/
//! ```
//!
//! [`Engine`] owns the schedule, the state of every site ([`crate::monitor`]), connectivity and
//! all that decides about telling ([`crate::alert`]). A driver feeds it and carries the effects
//! out: [`crate::app`] with threads, files and sockets, the simulation in `tests/` with none.
//!
//! The switch between paradigms is not here: which jobs a paradigm has begun is known to its
//! threads alone, and a job moves by a ticket that only one of both can take
//! ([`crate::paradigm::Dispatcher`]). Nothing that is believed depends on it: the engine is told
//! of a check that was withdrawn, missed or is under way, whoever runs it, and the simulation
//! switches at random instants.
//!
//! Architecture invariant: pure. No clock, no thread, no I/O, and nothing that is filled in
//! later: the same inputs at the same times give the same effects. Whatever it must not forget
//! leaves it as [`Effect::Persist`] together with the change that causes it.

mod backlog;
mod blind_workers;
mod connectivity;
mod connectivity_effects;
mod decide;
mod effect;
mod head_courtesy;
mod input;
mod monitor_alerts;
mod queries;
mod recent_failures;
mod restore;
mod site_time;
mod standstill;
mod state_records;
mod unwatched;
mod witnesses;

pub use connectivity::{Connectivity, ConnectivityChange, Round, Ruling};
pub use decide::Engine;
pub use effect::{Effect, Ended, Notice, Record};
pub use input::{
    EngineConfig, Input, MonitorAlerts, RestoredMessage, RestoredSite, RestoredState, Storage,
};
pub use witnesses::{CheckFacts, landed};
