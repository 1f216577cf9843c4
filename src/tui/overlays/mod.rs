//! What lies over a screen: the help, the explanation of a verdict, and the pages of the past.

pub(crate) mod explain;
pub(crate) mod help;
pub(crate) mod letter;
pub(crate) mod outage;
mod pager;
pub(crate) mod past;
pub(crate) mod replay;
mod rule;
mod text;
mod waterfall;

pub(crate) use pager::{draw as draw_pages, last_scroll};
