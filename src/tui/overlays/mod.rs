//! What lies over a screen: the help, and the explanation of a verdict.

pub(crate) mod explain;
pub(crate) mod help;
mod pager;
mod rule;
mod waterfall;

pub(crate) use pager::{draw as draw_pages, last_scroll};
