//! The screens, one file or folder each, and the table `VIEWS` that lists them.

mod lab;
mod outages;
mod race;
pub(crate) mod sched;
mod site_cells;
mod site_columns;
mod sites;
mod table;
mod view;

pub(crate) use table::VIEWS;
pub(crate) use view::View;
