//! Lanes: time drawn from left to right, one cell a stretch of time.
//!
//! ```text
//! Axis        moment <-> cell, one scale for all lanes
//! CellCursor  the cells of one span after another
//! Raster      how the time of each cell was spent
//! Symbol      glyph and style of a cell; a glyph has one meaning
//! LoadStrip   mean number of checks in each cell
//! ticks       labels below the axis
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
