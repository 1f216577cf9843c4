//! What all threads of a process have cost so far, as the operating system says.

use std::fs;
use std::io;
use std::path::Path;

/// The processor time of all threads of a process in seconds, to the nanosecond (the first
/// figure of `/proc/<process>/task/<thread>/schedstat`).
pub(crate) fn running_seconds(process: &str) -> io::Result<f64> {
    let nanoseconds = of_threads(process, |folder| {
        let text = fs::read_to_string(folder.join("schedstat"))?;
        let first = text
            .split_whitespace()
            .next()
            .and_then(|it| it.parse().ok());
        first.ok_or_else(|| io::Error::other("no figures of the scheduler"))
    })?;
    Ok(nanoseconds / 1e9)
}

/// How often threads of a process have begun to wait, and were woken.
pub(crate) fn wake_ups(process: &str) -> io::Result<f64> {
    of_threads(process, |folder| {
        let text = fs::read_to_string(folder.join("status"))?;
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let number = found.and_then(|rest| rest.trim().parse().ok());
        number.ok_or_else(|| io::Error::other("no count of switches"))
    })
}

/// The sum of a figure over the threads of a process.
fn of_threads(process: &str, figure: impl Fn(&Path) -> io::Result<f64>) -> io::Result<f64> {
    let mut sum = 0.0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        sum += figure(&thread?.path())?;
    }
    Ok(sum)
}
