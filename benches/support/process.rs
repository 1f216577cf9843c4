//! What the operating system says that a process costs.

use std::fs;
use std::io;

/// A line of `/proc/<process>/status` that is given in kB, in bytes. `VmRSS` is what is
/// resident, `VmHWM` the most that ever was.
pub(crate) fn status(process: &str, field: &str) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let mut found = status
        .lines()
        .filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kilobytes = found.find_map(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    let kilobytes = kilobytes.ok_or_else(|| io::Error::other(format!("no {field}")))?;
    Ok(kilobytes * 1024.0)
}
