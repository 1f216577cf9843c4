//! The screen: the only room that knows ratatui and the terminal.
//!
//! ```text
//! InputStream -> Ui::input -> Intent        keys in, requests to the app out
//! ViewModel -> Ui::tick, Ui::draw -> Terminal  the program's state in, one write a frame out
//! ```
//!
//! Architecture invariants: drawing takes `&self` and reads; nothing here changes a site,
//! starts a check or reads a clock; every key stands in one table, and so does every
//! screen.

mod acknowledgement;
mod ansi_writer;
mod click_targets;
mod clipboard;
mod curl;
mod downgrade;
mod filter;
#[cfg(test)]
mod fixture;
mod format;
mod frame_diff;
mod frame_rate;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod history_fixture;
mod history_view;
mod input;
mod input_parser;
mod input_reader;
mod key;
mod key_scope;
mod key_sequences;
mod keymap;
mod lab_actions;
mod lab_settings;
mod lanes;
mod layer;
mod layout;
mod mode;
mod mouse_actions;
mod options;
mod outages_actions;
mod outages_state;
mod overlays;
#[cfg(test)]
mod random_sites;
mod recent_keys;
mod replay_state;
mod sched_actions;
#[cfg(test)]
mod sched_fixture;
mod sched_state;
mod site_edit_actions;
mod site_form;
mod site_order;
mod site_remark;
mod sort;
mod state;
mod summary;
mod suspend;
mod svg;
mod terminal;
mod terminal_modes;
mod terminal_writer;
#[cfg(test)]
mod tests;
mod theme;
mod ui;
mod update;
mod view_model;
mod views;
mod wide_cells;
mod widgets;

pub use click_targets::ClickTargets;
pub(crate) use format::holds;
pub use frame_diff::FrameDiff;
pub use history_view::{
    BucketTotals, CheckList, CheckSpan, HistoryQuery, HistorySpan, HistoryView, OutageView,
    SiteHistory,
};
pub use input::TerminalInput;
pub use input_reader::InputStream;
pub use options::{Background, Multiplexer, Options};
pub use overlays::help::keys_markdown;
pub use replay_state::{
    ChangeCounts, CurrentRules, MinMax, OutageChange, ReplayResult, ReplayState, ReplayedOutage,
    TriedRules,
};
pub use suspend::ask_to_stop;
pub use terminal::Terminal;
pub use ui::Ui;
pub use view_model::{
    CheckFields, Intent, LabRequest, LabView, ProcessStats, SiteFormView, StatusMessage, Tone,
    TraceView, TriedSite, ViewModel,
};
