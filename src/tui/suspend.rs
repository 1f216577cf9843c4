//! Suspending the program by Ctrl-Z or a signal, and whether a shell could continue it.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};

/// Sends SIGTSTP to every process of the job, this one included, which handles it like one from
/// outside.
///
/// # Errors
/// The system refuses to send the signal.
pub fn ask_to_stop() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// Stops this process by SIGSTOP, since it handles SIGTSTP itself; returns when it is continued.
pub(super) fn stop() -> io::Result<()> {
    kill_process(getpid(), Signal::STOP)?;
    // The signal may reach another thread first; nothing may be drawn before the stop.
    std::thread::sleep(Duration::from_millis(50));
    Ok(())
}

/// Whether a shell can continue a stopped job: an ancestor of the same session in another process
/// group. Without one the system itself ignores SIGTSTP (POSIX, "orphaned process group").
pub(super) fn has_job_control() -> bool {
    let stat = |process: u32| fs::read_to_string(format!("/proc/{process}/stat")).ok();
    can_be_continued(std::process::id(), |process| {
        ProcessIds::read(&stat(process)?)
    })
}

/// The parent, group and session of a process. Processes outside of this one's PID namespace (a
/// container that was entered from outside) have the number 0, which rustix's `Pid` cannot hold.
#[derive(Clone, Copy)]
struct ProcessIds {
    parent: u32,
    group: u32,
    session: u32,
}

impl ProcessIds {
    /// Parses fields 4, 5 and 6 of `/proc/<process>/stat` (proc_pid_stat(5)). The name in
    /// parentheses may itself contain blanks and parentheses: it ends at the last one.
    fn read(stat: &str) -> Option<ProcessIds> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
        let mut number = || fields.next()?.parse().ok();
        Some(ProcessIds {
            parent: number()?,
            group: number()?,
            session: number()?,
        })
    }
}

fn can_be_continued(process: u32, ids: impl Fn(u32) -> Option<ProcessIds>) -> bool {
    let Some(own) = ids(process) else {
        return false;
    };
    let mut parent = own.parent;
    while let Some(other) = ids(parent) {
        if other.session != own.session {
            return false;
        }
        if other.group != own.group {
            return true;
        }
        parent = other.parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(process: u32, table: &[(u32, &str)]) -> bool {
        can_be_continued(process, |asked| {
            let (_, stat) = table.iter().find(|(pid, _)| *pid == asked)?;
            ProcessIds::read(stat)
        })
    }

    #[test]
    fn a_shell_of_the_same_session_continues_its_jobs() {
        let shell = (10, "10 (my (sh) 1) S 1 10 10 34816");
        assert!(is(20, &[shell, (20, "20 (squirrel) R 10 20 10 34816")]));
        // Behind `cargo run`, which is of the same group.
        let cargo = (20, "20 (cargo) S 10 20 10 34816");
        assert!(is(21, &[shell, cargo, (21, "21 (squirrel) R 20 20 10 0")]));
    }

    #[test]
    fn the_leader_of_a_session_is_continued_by_nobody() {
        let shell = (10, "10 (sh) S 1 10 10 34816");
        assert!(!is(20, &[shell, (20, "20 (squirrel) R 10 20 20 0")]));
        assert!(!is(1, &[(1, "1 (squirrel) R 0 1 1 0")]), "in a container");
        assert!(!is(30, &[]), "no /proc");
    }

    /// Entered from outside, the session and the group of a process may be outside as well.
    #[test]
    fn numbers_from_outside_the_namespace_are_zero_and_no_reason_to_fail() {
        let entered = (10, "10 (runner) S 0 0 0 0");
        assert!(!is(20, &[entered, (20, "20 (squirrel) R 10 20 20 0")]));
        assert!(is(20, &[entered, (20, "20 (squirrel) R 10 20 0 0")]));
    }
}
