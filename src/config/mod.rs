//! `sites.toml`: reading it, naming every mistake, editing it without losing a comment.
//!
//! ```text
//! locate -> load -> (monitor|sites|owners|notify|..)_table through reader -> include -> names -> Config
//!                     every mistake goes to sink, which end as Diagnostics
//! edit: one site paused or resumed in the file      watch: has any of the files changed?
//! ```
//!
//! Architecture invariant: nothing outside this room reads or writes the configuration, and
//! no text of a secret ever leaves it but through [`Secret`].

mod diagnostic_sink;
mod diagnostics;
mod display_value;
mod edit;
mod files;
mod include;
mod load;
mod locate;
mod maintenance;
mod model;
mod monitor_table;
mod notify_table;
mod owners_table;
mod redact;
mod site_registry;
mod sites_table;
mod table_reader;
mod value_parsers;
mod watch;

pub use diagnostics::{Diagnostic, Diagnostics, Place};
pub use edit::{EditError, WrittenContent, set_paused};
pub use files::{ContentHash, SourceFile};
pub use load::{from_urls, load, parse};
pub use locate::{ConfigNotFound, Environment, find, state_dir};
pub use model::{
    Config, HistorySettings, KnownNames, MonitorSettings, QueueSettings, Secret, USER_AGENT,
};
pub use value_parsers::{parse_broker_url as broker_url, parse_queue_name as queue_name};
pub use watch::Watcher;
