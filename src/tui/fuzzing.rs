//! Entry points for `tests/fuzz.rs`: bytes of a terminal, as inputs of the screen.

use std::time::Duration;

use super::input::TerminalInput;
use super::input_parser::InputParser;

/// The inputs that are read of bytes which arrive in these parts, with a pause behind each that
/// is longer than anything is waited for.
#[must_use]
pub fn inputs(parts: &[&[u8]]) -> Vec<TerminalInput> {
    let mut parser = InputParser::new(Duration::from_millis(50));
    let mut inputs = Vec::new();
    for part in parts {
        inputs.extend(parser.feed(part));
        while parser.waits().is_some() {
            inputs.extend(parser.timeout());
        }
    }
    inputs.into_iter().map(TerminalInput).collect()
}
