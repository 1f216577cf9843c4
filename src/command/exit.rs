//! How the program ends: a status, and what is said on the way out.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// The statuses that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All up, or nothing to complain of.
    Fine,
    /// Some site is down.
    Down,
    /// A mistake in the command line or the configuration, or no way to begin.
    Mistake,
    /// Nothing is down, but some site could not be looked at.
    Unknown,
    /// Ended by a signal before the end: 128 and the signal's number.
    Signal(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Down => 1,
            Exit::Mistake => 2,
            Exit::Unknown => 3,
            Exit::Signal(number) => 128 + number,
        })
    }
}

/// One line on standard error. Nobody may be there to read it, which is no reason to fail.
pub(super) fn say(line: impl Display) {
    let _unheard = writeln!(std::io::stderr(), "squirrel: {line}");
}

/// Says what went wrong, as lines that stand as they are, and gives the status for it.
pub(super) fn mistake(lines: impl Display) -> Exit {
    let mut stderr = std::io::stderr().lock();
    for line in lines.to_string().lines() {
        let _unheard = writeln!(stderr, "{}", line.trim_end());
    }
    Exit::Mistake
}
