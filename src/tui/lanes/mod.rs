//! Time drawn from left to right: which moment stands in which cell, what a thread or a
//! check did in it, and the mark for that.
//!
//! ```text
//! Axis   moment <-> cell, one scale for all lanes
//! Raster what was done in each cell, by time
//! marks  cell -> glyph and colour; one meaning a glyph
//! Pen    the cells of one stretch after another
//! Load   how many at once, cell by cell
//! ```

mod axis;
mod load;
mod marks;
mod pen;
mod raster;
mod ticks;

pub(crate) use axis::Axis;
pub(crate) use load::{Load, block};
pub(crate) use marks::{BEFORE, IDLE, LEGEND, Mark, POLLED, START, mark, thread_mark};
pub(crate) use raster::Raster;
pub(crate) use ticks::ticks;
