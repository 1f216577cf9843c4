//! The screens: one file a screen, and the table of them.

mod lab;
mod outages;
mod race;
pub(crate) mod sched;
mod site_columns;
mod sites;
mod table;
mod view;

pub(crate) use table::VIEWS;
pub(crate) use view::View;
