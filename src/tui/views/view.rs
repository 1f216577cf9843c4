//! The definition of a screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::click_targets::ClickTargets;
use crate::tui::keymap::Scope;
use crate::tui::state::UiState;
use crate::tui::view_model::ViewModel;

/// One row of the table of screens.
#[derive(Debug)]
pub(crate) struct View {
    /// The title in the header's tabs.
    pub(crate) title: &'static str,
    /// The groups of keys that are bound on this screen.
    pub(crate) scopes: &'static [Scope],
    /// Draws the screen into the area between header and footer, and notes what a click in it means.
    pub(crate) draw: fn(&UiState, &ViewModel<'_>, Rect, (&mut Buffer, &mut ClickTargets)),
}
