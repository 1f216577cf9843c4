//! The wiring: one closed event enum, one loop; decide, then act.
//!
//! [`Driver`] feeds the engine and carries out its effects. The loop goes round it, whoever
//! watches: the session on a terminal turns keys into actions, [`watch`] tells a [`Listener`].

mod announcements;
mod canaries;
mod channel_settings;
mod config_watcher;
mod control_actions;
mod driver;
mod engine_config;
mod engine_queries;
mod error;
mod event;
mod event_loop;
mod headless;
mod health;
mod history_cache;
mod lab_runner;
mod launch;
pub mod log;
mod message_delivery;
mod metrics_source;
mod monitor_status;
mod name_list;
mod outage_diff;
mod outcome_writer;
pub mod output_file;
mod paradigm_settings;
mod process_stats;
mod replay;
mod replay_runner;
mod report;
mod restore;
mod sd_notify;
mod session;
mod session_state;
mod signals;
mod site_changes;
mod site_editor;
mod site_edits;
mod site_trial;
mod status_line;
mod svg_export;
mod switch_keys;
mod tmux;
mod trace_collector;
mod trace_export;
mod worker_limits;

pub use channel_settings::plan;
pub use config_watcher::{ConfigEvent, ConfigWatcher};
pub use driver::Driver;
pub use error::{DriverError, ReloadError, SessionError};
pub use event::Ending;
pub use headless::{Listener, Occurrence, Watch, watch};
pub use launch::Launch;
pub use outage_diff::{OutageDiff, SeenOutage};
pub use outcome_writer::{OutcomeWriter, key};
pub use process_stats::ProcessMeter;
pub use replay::Replay;
pub use report::{ActedOn, DriverOptions, Happening, Inbox, Report};
pub use sd_notify::SdNotify;
pub use session::run;
pub use svg_export::{SvgOptions, picture};
pub use worker_limits::{WorkerLimits, choose, step};

/// How long the program waits at its end for deliveries under way, and again for the history to
/// be written.
const CLOSE_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(1_500);
