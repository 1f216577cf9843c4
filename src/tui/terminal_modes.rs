//! The line of the terminal (termios(3)): its size, and its modes, raw while the screen is shown
//! and then as they were before.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
};

/// Columns and rows of a terminal that does not report its size.
const FALLBACK: (u16, u16) = (80, 24);

/// The modes to restore; `None` while the terminal is not raw.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

fn before() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The terminal that keys are read from: standard input, else `/dev/tty`.
pub(super) fn keyboard() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        stdin.as_fd().try_clone_to_owned()
    } else {
        File::open("/dev/tty").map(OwnedFd::from)
    }
}

/// The size of the terminal in columns and rows.
pub(super) fn size() -> (u16, u16) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => FALLBACK,
    }
}

/// Makes the terminal raw: keys come one by one, and none is a signal. Of a terminal that is raw
/// already the modes to restore stay those of the first time. In the background the system
/// stops this process until it is brought to the front (SIGTTOU).
pub(super) fn enter_raw() -> io::Result<()> {
    let keyboard = keyboard()?;
    let modes = tcgetattr(&keyboard)?;
    let mut raw = modes.clone();
    raw.make_raw();
    let mut before = before();
    // Whoever had the terminal while this process was stopped may have left other modes.
    if before.is_none() || modes.local_modes.contains(LocalModes::ICANON) {
        *before = Some(modes);
    }
    drop(before);
    set(&keyboard, &raw)
}

/// Restores the modes; does nothing the second time.
pub(super) fn leave_raw() -> io::Result<()> {
    match before().take() {
        Some(modes) => set(&keyboard()?, &modes),
        None => Ok(()),
    }
}

/// Forgets the modes to restore: somebody else has the terminal.
pub(super) fn forget_raw() {
    *before() = None;
}

/// Whether another job has the terminal: this process is in the background.
pub(super) fn is_in_background() -> bool {
    let Ok(keyboard) = keyboard() else {
        return false;
    };
    tcgetpgrp(&keyboard).is_ok_and(|front| front != getpgrp())
}

fn set(keyboard: &OwnedFd, modes: &Termios) -> io::Result<()> {
    loop {
        match tcsetattr(keyboard, OptionalActions::Now, modes) {
            Err(Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}
