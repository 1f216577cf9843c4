//! Widgets that several screens share: header, footer, lines of pieces, latency strip.

pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod latency_strip;
mod line_pieces;

pub(crate) use line_pieces::{Piece, draw_clickable, draw_pieces, put, typed};
