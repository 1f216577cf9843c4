//! Stopping as Ctrl-Z does, whoever asks for it, and whether anybody could continue us.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{
    Pid, Signal, getpgid, getpid, getsid, kill_current_process_group, kill_process,
};

/// Asks every process of the job to stop, this one included: to it the request comes back as
/// SIGTSTP, like one from outside.
///
/// # Errors
/// Whatever the system gives.
pub fn ask_to_stop() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// Stops this process; comes back when it is continued. SIGTSTP is heard by the program, so
/// that it is SIGSTOP that stops.
pub(super) fn stop() -> io::Result<()> {
    kill_process(getpid(), Signal::STOP)?;
    // The signal may reach another thread first; nothing may be drawn before the stop.
    std::thread::sleep(Duration::from_millis(50));
    Ok(())
}

/// Whether there is somebody to continue a stopped job: a process of the same session in
/// another group, that has started this group. The system itself does not stop a group
/// without one by SIGTSTP (POSIX, "orphaned process group").
pub(super) fn somebody_can_continue() -> bool {
    let Ok(session) = getsid(None) else {
        return false;
    };
    let Ok(group) = getpgid(None) else {
        return false;
    };
    let mut process = getpid();
    while let Some(parent) = parent_of(process) {
        if getsid(Some(parent)) != Ok(session) {
            return false;
        }
        if getpgid(Some(parent)) != Ok(group) {
            return true;
        }
        process = parent;
    }
    false
}

fn parent_of(process: Pid) -> Option<Pid> {
    let path = format!("/proc/{}/stat", process.as_raw_nonzero());
    let stat = fs::read_to_string(path).ok()?;
    // The name in parentheses may hold blanks: field 4 is the second behind it.
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
    Pid::from_raw(parent.parse().ok()?)
}
