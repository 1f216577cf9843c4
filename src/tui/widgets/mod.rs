//! Pieces that every screen is put together from.

mod fit;
pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod strip;

pub(crate) use fit::{Piece, draw_pieces, put};
