//! The wiring: one closed event enum, one loop; decide, then act.
//!
//! [`Core`] moves checks between plan, dispatcher and monitor, with or without a screen;
//! the session around it turns what happens into what is done about it.

mod annals;
mod answering;
mod beginning;
mod board;
mod calendar;
mod canaries;
mod core;
mod event;
mod export;
mod exporting;
mod headless;
mod keeper;
mod launch;
mod ledger;
pub mod log;
mod lookout;
mod machine;
mod names;
mod pairs;
mod picture;
mod queue;
mod reach;
mod reading;
mod reckon;
mod record;
mod replay;
mod service;
mod session;
mod sight;
mod tidings;
mod trouble;
mod vigil;
mod workers;
mod workshop;
mod world;

pub use self::core::{Core, Happening};
pub use beginning::CoreError;
pub use event::Ending;
pub use headless::{Occurrence, Watch, watch};
pub use keeper::{Keeper, Kept};
pub use launch::{Launch, SessionError};
pub use ledger::{Ledger, OpenLedger, Word, key};
pub use machine::Meter;
pub use pairs::{Pair, Seen};
pub use picture::{Picture, picture};
pub use queue::queue_options;
pub use reach::plan;
pub use replay::Replay;
pub use service::Service;
pub use session::run;
pub use vigil::Silence;
pub use workers::{Workers, choose, step};

/// How long the end waits for messages under way to arrive, and again for the history to be
/// written.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(1_500);
