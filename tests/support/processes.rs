//! Processes as the system tells of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything that is waited for may take; then the test fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a signal to a process of ours.
pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Waits until something holds that nobody tells about.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The state of a process as `/proc` tells it: 'R', 'S', 'T' ...; `None` when it is gone.
pub(crate) fn process_state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// The children of a process, and theirs.
pub(crate) fn descendants(pid: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return found;
    };
    for thread in threads.flatten() {
        let children = std::fs::read_to_string(thread.path().join("children"));
        for child in children.unwrap_or_default().split_whitespace() {
            let child = child.parse().unwrap();
            found.insert(child);
            found.extend(descendants(child));
        }
    }
    found
}
