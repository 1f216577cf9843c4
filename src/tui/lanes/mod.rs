//! Time drawn from left to right: which moment stands in which cell, what a thread or a
//! check did in it, and the symbol for that.
//!
//! ```text
//! Axis   moment <-> cell, one scale for all lanes
//! Raster what was done in each cell, by time
//! marks  cell -> glyph and colour; one meaning a glyph
//! CellCursor    the cells of one stretch after another
//! LoadStrip   how many at once, cell by cell
//! ```

mod axis;
mod cell_cursor;
mod load_strip;
mod raster;
mod symbols;
mod ticks;

pub(crate) use axis::Axis;
pub(crate) use load_strip::{LoadStrip, block};
pub(crate) use raster::Raster;
pub(crate) use symbols::{BEFORE, IDLE, LEGEND, POLLED, START, Symbol, symbol, thread_symbol};
pub(crate) use ticks::ticks;
