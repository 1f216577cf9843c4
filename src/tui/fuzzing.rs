//! Entry points for `tests/fuzz.rs`: bytes of a terminal, as inputs of the screen.

use std::io;
use std::time::Duration;

use super::input::TerminalInput;

/// Makes the terminal on standard input one whose bytes arrive as they are, as
/// [`Terminal`](super::Terminal) does.
///
/// # Errors
/// If standard input is no terminal.
pub fn enter_raw_mode() -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()
}

/// The inputs that have arrived on standard input.
///
/// # Errors
/// If it cannot be read.
pub fn pending() -> io::Result<Vec<TerminalInput>> {
    let mut inputs = Vec::new();
    while crossterm::event::poll(Duration::ZERO)? {
        inputs.push(crossterm::event::read()?.into());
    }
    Ok(inputs)
}
