//! The wiring: one closed event enum, one loop; decide, then act.
//!
//! [`Core`] moves checks between plan, dispatcher and monitor, with or without a screen;
//! the session around it turns what happens into what is done about it.

mod canaries;
mod channel_settings;
mod config_watcher;
mod core;
mod engine_queries;
mod error;
mod event;
mod headless;
mod history_cache;
mod lab_runner;
mod launch;
mod ledger;
pub mod log;
mod metrics_source;
mod name_list;
mod outage_diff;
mod process_stats;
mod queue_options;
mod record;
mod replay;
mod replay_runner;
mod sd_notify;
mod session;
mod sight;
mod status_line;
mod svg_export;
mod tidings;
mod trace_collector;
mod trace_export;
mod trouble;
mod vigil;
mod worker_limits;
mod world;

pub use self::core::{Core, Happening};
pub use channel_settings::plan;
pub use config_watcher::{ConfigEvent, ConfigWatcher};
pub use error::{CoreError, ReloadError, SessionError};
pub use event::Ending;
pub use headless::{Occurrence, Watch, watch};
pub use launch::Launch;
pub use ledger::{Ledger, OpenLedger, Word, key};
pub use outage_diff::{OutageDiff, SeenOutage};
pub use process_stats::ProcessMeter;
pub use queue_options::queue_options;
pub use replay::Replay;
pub use sd_notify::SdNotify;
pub use session::run;
pub use svg_export::{SvgOptions, picture};
pub use vigil::Silence;
pub use worker_limits::{WorkerLimits, choose, step};

/// How long the end waits for messages under way to arrive, and again for the history to be
/// written.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(1_500);
