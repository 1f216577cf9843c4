//! The limits of the system on the number of workers: open files, processes, memory.

use std::fs::{self, File};
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::domain::plain_io_error;

use super::{ParadigmEntry, StartError};

/// Open files for everything but checks in a sweep: the standard streams, the log, the main
/// runtime, and a few that come and go.
pub const FILES_OF_A_SWEEP: u64 = 14;

/// The same in a monitor: the terminal, history, metrics, and the threads that read the
/// configuration, send messages and ask canaries, each with a runtime of four files.
pub const FILES_OF_A_MONITOR: u64 = 48;

/// Raises the soft limit of open files to the hard one (getrlimit(2), `RLIMIT_NOFILE`). Returns
/// the limit in force; `None` if there is none.
pub fn raise_file_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_err() {
        return limit.current;
    }
    limit.maximum
}

/// Open files that the program needs before the first check.
const FIRST: usize = 16;

/// Tries whether the program can open the files that it needs: the runtime would panic without
/// them.
///
/// # Errors
/// If the limit of open files is too low for a start.
pub fn ensure_files() -> Result<(), StartError> {
    let opened: io::Result<Vec<File>> = (0..FIRST).map(|_| File::open("/dev/null")).collect();
    match opened {
        Ok(_closed_again) => Ok(()),
        Err(source) => Err(StartError::System {
            what: "no file can be opened",
            source,
        }),
    }
}

/// Why the system refused a thread, a process or a file, as a phrase that follows a colon.
pub(super) fn refusal(error: &io::Error) -> String {
    match error.raw_os_error() {
        // EAGAIN of clone(2): a limit on the number of processes and threads.
        Some(11) => "the system allows no more processes and threads".to_owned(),
        _ => plain_io_error(error).into_owned(),
    }
}

/// The number of workers that the system allows, at most `wanted`, and a notice if it is fewer.
/// `open_files` is the limit of open files, `None` if there is none; `reserved` of them are for
/// everything but checks.
#[must_use]
pub fn clamp(
    entry: &ParadigmEntry,
    wanted: usize,
    open_files: Option<u64>,
    reserved: u64,
) -> (usize, Option<String>) {
    let mut limits = vec![files(entry, open_files, reserved)];
    if entry.tasks_per_worker() > 0 {
        limits.push(of_user(entry, getrlimit(Resource::Nproc).current));
        limits.push(of_system(entry, system_tasks()));
        limits.push(memory(entry, total_memory()));
    }
    within(entry, wanted, limits.into_iter().flatten())
}

/// A number of workers, and the limit that it follows from, as text.
type Limit = (u64, String);

fn within(
    entry: &ParadigmEntry,
    wanted: usize,
    limits: impl Iterator<Item = Limit>,
) -> (usize, Option<String>) {
    if !entry.resizable {
        return (entry.default_workers, None);
    }
    let wanted = wanted.max(1);
    let Some((most, why)) = limits.min_by_key(|(most, _)| *most) else {
        return (wanted, None);
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    if wanted <= most {
        return (wanted, None);
    }
    (
        most,
        Some(format!("workers {wanted} -> {most}: at most {why}")),
    )
}

fn files(entry: &ParadigmEntry, open_files: Option<u64>, reserved: u64) -> Option<Limit> {
    let files = open_files?;
    let left = files.saturating_sub(reserved);
    let most = left.saturating_mul(10) / entry.files_for_ten_workers.max(1) as u64;
    Some((most, format!("{files} open files")))
}

/// The limit `RLIMIT_NPROC` counts all processes and threads of the user; half is left to the
/// user's others.
fn of_user(entry: &ParadigmEntry, tasks: Option<u64>) -> Option<Limit> {
    let tasks = tasks?;
    let most = tasks / 2 / entry.tasks_per_worker().max(1) as u64;
    Some((most, format!("{tasks} {} of one user", entry.tasks())))
}

/// The limit of processes and threads of the machine; half is left to others.
fn of_system(entry: &ParadigmEntry, tasks: Option<u64>) -> Option<Limit> {
    let tasks = tasks?;
    let most = tasks / 2 / entry.tasks_per_worker().max(1) as u64;
    Some((most, format!("{tasks} {} on this machine", entry.tasks())))
}

/// The most threads and processes of the machine: the least of the limits of the kernel, of
/// process ids, and of the container.
fn system_tasks() -> Option<u64> {
    const LIMITS: [&str; 3] = [
        "/proc/sys/kernel/threads-max",
        "/proc/sys/kernel/pid_max",
        "/sys/fs/cgroup/pids.max",
    ];
    LIMITS
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok())
        .min()
}

/// Memory of a child process, in bytes.
const BYTES_PER_PROCESS: u64 = 6 << 20;

/// Memory of a thread, in bytes: the used part of its stack, its runtime, its connection.
const BYTES_PER_THREAD: u64 = 256 << 10;

/// The workers may take a quarter of the machine's memory.
fn memory(entry: &ParadigmEntry, total: Option<u64>) -> Option<Limit> {
    let quarter = total? / 4;
    let worker = entry.processes_per_worker as u64 * BYTES_PER_PROCESS
        + entry.threads_per_worker as u64 * BYTES_PER_THREAD;
    Some((
        quarter / worker.max(1),
        format!("a quarter of the memory, {} MiB", quarter >> 20),
    ))
}

impl ParadigmEntry {
    /// Processes and threads for each worker, which the system counts alike.
    const fn tasks_per_worker(&self) -> usize {
        self.processes_per_worker + self.threads_per_worker
    }

    const fn tasks(&self) -> &'static str {
        if self.processes_per_worker > 0 {
            "processes"
        } else {
            "threads"
        }
    }
}

fn total_memory() -> Option<u64> {
    let info = rustix::system::sysinfo();
    (info.totalram as u64).checked_mul(info.mem_unit.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paradigm::{ALL, position};

    fn entry(name: &str) -> &'static ParadigmEntry {
        &ALL[position(name).unwrap()]
    }

    #[test]
    fn a_small_limit_makes_fewer_workers_and_says_so() {
        let (workers, notice) = clamp(entry("async"), 1_000, Some(254), FILES_OF_A_SWEEP);
        assert_eq!(workers, 160);
        assert_eq!(
            notice.as_deref(),
            Some("workers 1000 -> 160: at most 254 open files")
        );
        for (name, reserved, most) in [
            ("threads", FILES_OF_A_SWEEP, 10),
            ("async", FILES_OF_A_SWEEP, 33),
            ("threads", FILES_OF_A_MONITOR, 3),
            ("green", FILES_OF_A_MONITOR, 10),
        ] {
            assert_eq!(
                clamp(entry(name), 1_000, Some(64), reserved).0,
                most,
                "{name}"
            );
        }
    }

    #[test]
    fn one_worker_is_always_left_and_enough_files_change_nothing() {
        assert_eq!(clamp(entry("threads"), 16, Some(20), FILES_OF_A_SWEEP).0, 1);
        assert_eq!(
            clamp(entry("async"), 1_000, Some(20_000), FILES_OF_A_MONITOR),
            (1_000, None)
        );
        assert_eq!(clamp(entry("async"), 1_000, None, 0), (1_000, None));
        assert_eq!(
            clamp(entry("serial"), 9, Some(20), FILES_OF_A_SWEEP),
            (1, None)
        );
    }

    #[test]
    fn the_smallest_limit_counts_and_is_named() {
        let processes_entry = entry("processes");
        let limits = |nproc| {
            [
                files(processes_entry, Some(20_000), FILES_OF_A_MONITOR),
                of_user(processes_entry, nproc),
                memory(processes_entry, Some(4 << 30)),
            ]
        };
        assert_eq!(
            within(
                processes_entry,
                1_000,
                limits(Some(64)).into_iter().flatten()
            ),
            (
                32,
                Some("workers 1000 -> 32: at most 64 processes of one user".to_owned())
            )
        );
        assert_eq!(
            within(processes_entry, 1_000, limits(None).into_iter().flatten()),
            (
                170,
                Some("workers 1000 -> 170: at most a quarter of the memory, 1024 MiB".to_owned())
            )
        );
        assert_eq!(
            within(processes_entry, 100, limits(None).into_iter().flatten()),
            (100, None)
        );
    }

    #[test]
    fn threads_are_as_many_as_user_machine_and_memory_allow() {
        let threads = entry("threads");
        let limits = |user, machine, memory_of| {
            let limits = [
                files(threads, Some(1 << 20), FILES_OF_A_MONITOR),
                of_user(threads, user),
                of_system(threads, machine),
                memory(threads, memory_of),
            ];
            within(threads, 100_000, limits.into_iter().flatten())
        };
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            limits(Some(4_000), Some(9_000), None),
            (
                2_000,
                said("workers 100000 -> 2000: at most 4000 threads of one user")
            )
        );
        assert_eq!(
            limits(None, Some(9_000), None),
            (
                4_500,
                said("workers 100000 -> 4500: at most 9000 threads on this machine")
            )
        );
        assert_eq!(
            limits(None, None, Some(1 << 30)),
            (
                1_024,
                said("workers 100000 -> 1024: at most a quarter of the memory, 256 MiB")
            )
        );
    }

    #[test]
    fn no_key_asks_for_more_threads_than_this_machine_can_have() {
        let (workers, notice) = clamp(entry("threads"), 100_000_000, None, 0);
        assert!(workers < 100_000_000, "{workers}");
        assert!(notice.is_some_and(|notice| notice.contains(&workers.to_string())));
        // Tasks are not counted by the system.
        assert_eq!(clamp(entry("async"), 100_000, None, 0), (100_000, None));
    }
}
