//! The command line: one file a subcommand. An error that ends a command is printed by
//! `exit::fail`, as `squirrel: WHAT: WHY`; mistakes of the configuration by
//! `site_source::complain`.
//!
//! Exit status: 0 every site is up, 1 some site is down, 2 a mistake in the command line or the
//! configuration, 3 nothing is down but some site could not be checked.

mod args;
mod broker;
mod check;
mod check_json;
mod cli;
mod completions;
mod config_check;
mod control;
mod control_args;
mod demo;
mod demo_sites;
mod exit;
#[doc(hidden)]
pub mod fuzzing;
mod global_options;
mod history;
mod history_args;
mod history_import;
mod history_import_error;
mod import;
mod import_args;
mod json_line;
mod man;
mod man_args;
mod man_sites_toml;
mod monitor;
mod notify;
mod open_history;
mod progress;
mod race;
mod race_args;
mod race_report;
mod replay;
mod report;
mod report_html;
mod report_rows;
mod runtime;
mod shared_args;
mod signals;
mod site_source;
mod sweep_summary;
mod table_output;
mod trace_file;
mod watch;
mod worker;
mod worker_defaults;

pub use check_json::CheckJson;
pub use cli::run;
