//! The overlays: the help, the explanation of a verdict, and the pages of the history.

pub(crate) mod explain;
pub(crate) mod help;
mod help_keys;
pub(crate) mod message;
pub(crate) mod outage;
pub(crate) mod outage_messages;
mod page_text;
mod pager;
pub(crate) mod recent_messages;
pub(crate) mod replay;
pub(crate) mod site_checks;
pub(crate) mod site_form;
pub(crate) mod site_history;
mod verdict_rule;
mod waterfall;

pub(crate) use pager::{draw as draw_pages, last_scroll};
