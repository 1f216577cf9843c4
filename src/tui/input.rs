//! The inputs of the terminal: keys, pastes, sizes, focus, and its end.

use super::key::Key;
use super::options::Background;

/// One input of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalInput(pub(super) InputKind);

/// The kind of an input, with its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputKind {
    Key(Key),
    Paste(String),
    Resize(u16, u16),
    Focus(bool),
    Mouse(MouseInput),
    /// The terminal says what its background is.
    Background(Background),
    /// The terminal was closed.
    Closed,
}

/// A report of the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MouseInput {
    pub(super) kind: MouseKind,
    /// The column and the row of the cell under the pointer, from 0.
    pub(super) cell: (u16, u16),
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MouseKind {
    /// The left button was pressed.
    Click,
    WheelUp,
    WheelDown,
}

impl MouseInput {
    /// The report of xterm with this button, at a column and a row that are counted from 1
    /// (xterm's control sequences, "Mouse Tracking"); `None` for what has no action: other buttons,
    /// releases, motion. Shift, Alt and Ctrl change nothing: with Shift the terminal selects text
    /// itself, and does not report.
    pub(super) fn report(button: i64, column: i64, row: i64) -> Option<Self> {
        /// The bits of Shift, Alt and Ctrl.
        const MODIFIERS: i64 = 4 | 8 | 16;
        let kind = match button & !MODIFIERS {
            0 => MouseKind::Click,
            64 => MouseKind::WheelUp,
            65 => MouseKind::WheelDown,
            _ => return None,
        };
        let from_zero = |cell: i64| u16::try_from(cell - 1).ok();
        Some(Self {
            kind,
            cell: (from_zero(column)?, from_zero(row)?),
        })
    }
}

impl TerminalInput {
    /// The key with this name, as the help writes it: "q", "Enter", "Ctrl-C", "PgDn"; `None`
    /// for an unknown name.
    #[must_use]
    pub fn key(name: &str) -> Option<Self> {
        Key::named(name).map(|key| Self(InputKind::Key(key)))
    }

    /// A change of the terminal's size.
    #[must_use]
    pub const fn size(columns: u16, rows: u16) -> Self {
        Self(InputKind::Resize(columns, rows))
    }

    /// The end of the terminal.
    #[must_use]
    pub const fn closed() -> Self {
        Self(InputKind::Closed)
    }
}
