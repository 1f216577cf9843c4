//! How the program ends: its exit status, and the one form in which an error is printed,
//! `squirrel: WHAT: WHY` on standard error.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::process::ExitCode;

use crate::domain::{clean, error_line, plain_io_error};

/// The most characters of a line of an error.
const MOST_CHARACTERS: usize = 1_000;

/// The exit statuses that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0: every site is up or degraded, or the command did what it was asked to.
    Fine,
    /// 1: some site is down.
    Down,
    /// 2: a mistake in the command line or the configuration, or an error that ended the
    /// command.
    Mistake,
    /// 3: no site is down, but some could not be checked.
    Unknown,
    /// 74, `EX_IOERR` of sysexits(3): nobody reads the events of `watch` any more. A service
    /// manager that restarts on failure starts it again.
    ReaderGone,
    /// 128 and this number: ended by a signal before the end.
    Signal(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Down => 1,
            Exit::Mistake => 2,
            Exit::Unknown => 3,
            Exit::ReaderGone => 74,
            Exit::Signal(number) => 128 + number,
        })
    }
}

/// Prints `squirrel: LINE` on standard error; a closed standard error is no reason to fail.
pub(super) fn say(line: impl Display) {
    let _unheard = writeln!(io::stderr(), "{}", error_line(line));
}

/// Prints the error that ends the command as `squirrel: WHAT: WHY`, and gives its exit status.
pub(super) fn fail(error: impl Display) -> Exit {
    let _unheard = io::stderr().lock().write_all(shown(error).as_bytes());
    Exit::Mistake
}

/// The lines that an error is printed in. Further lines of its text stand as they are. Control
/// characters of all of them are replaced.
pub(super) fn shown(error: impl Display) -> String {
    let text = error_line(error);
    let mut shown = String::new();
    for line in text.lines() {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        let text = clean(text, MOST_CHARACTERS);
        shown.push_str(format!("{indent}{text}").trim_end());
        shown.push('\n');
    }
    shown
}

/// Standard output cannot be written: `standard output: cannot be written: WHY`.
#[derive(Debug)]
pub(super) struct OutputError(pub(super) io::Error);

impl Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = plain_io_error(&self.0);
        write!(f, "standard output: cannot be written: {why}")
    }
}

impl std::error::Error for OutputError {}

/// The exit status of a command whose output is complete, or could not be written. A reader
/// that closed its end has read enough: `squirrel report | head` succeeds.
pub(super) fn written(output: io::Result<()>) -> Exit {
    match output {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(OutputError(error)),
        _ => Exit::Fine,
    }
}

/// Writes the whole of a command's output.
pub(super) fn print(output: &[u8]) -> Exit {
    let mut out = io::stdout().lock();
    written(out.write_all(output).and_then(|()| out.flush()))
}
