//! `sites.toml`: reading it, naming every mistake, editing it without losing a comment.
//!
//! ```text
//! locate -> load -> *_table, through table_reader -> include -> site_registry -> Config
//!                   every mistake goes to the diagnostic_sink and ends in Diagnostics
//! edit: one site paused or resumed in the file      watch: has any of the files changed?
//! ```
//!
//! A table of the file has one file here, with its settings, their defaults and their reading;
//! `reference` describes every key for the documentation.
//!
//! Architecture invariant: nothing outside this room reads or writes the configuration, and
//! the text of a secret leaves it only through [`Secret`].

mod assertions_table;
mod configuration;
mod connection_table;
mod diagnostic_sink;
mod diagnostics;
mod display_value;
mod edit;
mod edit_file;
mod edit_table;
mod files;
#[doc(hidden)]
pub mod fuzzing;
mod history_table;
mod include;
mod include_table;
mod key_path;
mod key_reference;
mod kind_values;
mod known_names;
mod list_files;
mod load;
mod locate;
mod maintenance;
mod monitor_settings;
mod monitor_table;
mod named_sites;
mod named_values;
mod notify_table;
mod owner_addresses;
mod owners_table;
mod queue_table;
mod redact;
mod reference;
mod request_table;
mod secret;
mod settings_layer;
mod site_defaults;
mod site_form;
mod site_registry;
mod sites_table;
mod switch_policy;
mod table_reader;
mod table_values;
mod value_parsers;
mod watch;
mod week_hours;

pub use configuration::Config;
pub use diagnostics::{Diagnostic, Diagnostics, Place};
pub use edit::edit_sites;
pub use edit_file::{EditError, FileUndo, WrittenContent, WrittenEdit, restore};
pub use files::{ContentHash, SourceFile};
pub use include_table::IncludedLists;
pub use key_reference::{KeyReference, TableReference};
pub use known_names::KnownNames;
pub use load::{from_urls, load, parse};
pub use locate::{ConfigNotFound, Environment, find, state_dir};
pub use monitor_settings::MonitorSettings;
pub use reference::{reference, reference_markdown};
pub use secret::{Secret, SecretError, SecretPlace, SecretUse};
pub use site_form::{draft_site, unmasked};
pub use switch_policy::SwitchPolicy;
pub use value_parsers::{InvalidValue, parse_broker_url, parse_queue_name};
pub use watch::Watcher;
