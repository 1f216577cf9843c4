//! What a screen is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::keymap::Scope;
use crate::tui::state::State;
use crate::tui::view_model::ViewModel;

/// One row of the table of screens.
#[derive(Debug)]
pub(crate) struct View {
    /// In the header.
    pub(crate) title: &'static str,
    /// Whose keys count.
    pub(crate) scopes: &'static [Scope],
    /// Draws it into the body.
    pub(crate) draw: fn(&State, &ViewModel<'_>, Rect, &mut Buffer),
}
