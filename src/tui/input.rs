//! The inputs of the terminal: keys, pastes, sizes, focus, and its end.

use super::key::Key;

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
    /// The terminal was closed.
    Closed,
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
