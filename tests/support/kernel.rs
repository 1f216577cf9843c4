//! What the kernel says of processes and threads, read from `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// A thread as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Task {
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    /// What `ps` calls it.
    pub(crate) name: String,
}

/// The threads of a process; none if it is gone.
pub(crate) fn tasks_of(pid: u32) -> BTreeSet<Task> {
    numbers_in(&format!("/proc/{pid}/task"))
        .into_iter()
        .filter_map(|tid| {
            let name = fs::read_to_string(format!("/proc/{pid}/task/{tid}/comm")).ok()?;
            Some(Task {
                pid,
                tid,
                name: name.trim_end().to_owned(),
            })
        })
        .collect()
}

/// The processes whose parent is `pid`, those included that have ended and were not reaped.
pub(crate) fn children_of(pid: u32) -> BTreeSet<u32> {
    numbers_in("/proc")
        .into_iter()
        .filter(|child| {
            let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            // The name in parentheses may hold blanks; state and parent follow it.
            let parent = stat
                .rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(1));
            parent == Some(&pid.to_string())
        })
        .collect()
}

fn numbers_in(directory: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// The most memory that a process ever had resident, in bytes; 0 if it is gone.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    sum_of(&format!("/proc/{pid}/status"), &["VmHWM:"])
}

/// The most memory that a process ever had for itself, in bytes; 0 if it is gone. Its peak
/// less the program's code and other files that are mapped, which are there once for all
/// processes and only ever grow.
pub(crate) fn own_peak_memory(pid: u32) -> u64 {
    let path = format!("/proc/{pid}/status");
    sum_of(&path, &["VmHWM:"]).saturating_sub(sum_of(&path, &["RssFile:"]))
}

/// The sum of some lines of a file of `/proc` that are in kilobytes.
fn sum_of(path: &str, lines: &[&str]) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let of_line = |line: &str| {
        let rest = lines.iter().find_map(|name| line.strip_prefix(name))?;
        rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    text.lines().filter_map(of_line).sum::<u64>() * 1024
}

/// How long a thread has had a processor.
pub(crate) fn processor_time(task: &Task) -> Duration {
    let path = format!("/proc/{}/task/{}/schedstat", task.pid, task.tid);
    let text = fs::read_to_string(path).unwrap();
    let nanos = text.split_whitespace().next().unwrap();
    Duration::from_nanos(nanos.parse().unwrap())
}

/// How often threads of a process began to wait, and were woken.
pub(crate) fn wake_ups(pid: u32) -> u64 {
    let of_thread = |task: Task| {
        let path = format!("/proc/{pid}/task/{}/status", task.tid);
        let text = fs::read_to_string(path).unwrap_or_default();
        number_behind(&text, "voluntary_ctxt_switches:")
    };
    tasks_of(pid).into_iter().map(of_thread).sum()
}

/// How often a process has read from files, pipes and devices.
pub(crate) fn read_calls(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    number_behind(&text, "syscr:")
}

fn number_behind(text: &str, name: &str) -> u64 {
    let mut lines = text.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.unwrap_or_default()
}
