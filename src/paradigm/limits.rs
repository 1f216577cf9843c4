//! What the system allows: how many checks may be in flight at once.

use std::fs::File;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Entry, StartError};

/// Files that are kept for everything that is not a check: the terminal, logs, the
/// scheduler, name servers.
const RESERVED: u64 = 56;

/// Raises the limit of open files as far as the system lets an ordinary user; gives the
/// limit, `None` where there is none.
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

/// Files that the program itself opens before the first check.
const FIRST: usize = 16;

/// Makes sure that the program can open the files that it cannot run without: the runtime
/// has no way to say that it ran out of them.
///
/// # Errors
/// If the limit of open files is too low for anything.
pub fn ensure_files() -> Result<(), StartError> {
    let opened: io::Result<Vec<File>> = (0..FIRST).map(|_| File::open("/dev/null")).collect();
    match opened {
        Ok(_closed_again) => Ok(()),
        Err(error) => Err(StartError(format!(
            "could not look: too few open files are allowed ({error})"
        ))),
    }
}

/// Why the system refused a thread or a process, in plain words.
pub(super) fn refusal(error: &io::Error) -> String {
    // The numbers of Linux: EAGAIN, ENFILE and EMFILE, ENOMEM.
    let known = match error.raw_os_error() {
        Some(11) => "the system allows no more processes and threads",
        Some(23 | 24) => "too few open files are allowed",
        Some(12) => "this machine is out of memory",
        _ => {
            let text = error.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            return text[..end].to_lowercase();
        }
    };
    known.to_owned()
}

/// The number of workers that the system allows, and what to say if that is fewer.
#[must_use]
pub fn clamp(entry: &Entry, wanted: usize, open_files: Option<u64>) -> (usize, Option<String>) {
    let mut limits = vec![files(entry, open_files)];
    if entry.processes_per_worker > 0 {
        limits.push(processes(entry, getrlimit(Resource::Nproc).current));
        limits.push(memory(entry, total_memory()));
    }
    within(entry, wanted, limits.into_iter().flatten())
}

/// A number of workers, and the limit of the system that it comes from.
type Limit = (u64, String);

fn within(
    entry: &Entry,
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

fn files(entry: &Entry, open_files: Option<u64>) -> Option<Limit> {
    let files = open_files?;
    let most = files.saturating_sub(RESERVED) / entry.files_per_worker.max(1) as u64;
    Some((most, format!("{files} open files")))
}

/// A limit of processes counts all of the user's, whose others are to have half of it.
fn processes(entry: &Entry, processes: Option<u64>) -> Option<Limit> {
    let processes = processes?;
    let most = processes / 2 / entry.processes_per_worker.max(1) as u64;
    Some((most, format!("{processes} processes of one user")))
}

/// Memory that a process for one check takes for itself.
const BYTES_PER_PROCESS: u64 = 6 << 20;

/// A quarter of the machine's memory is enough for a monitor.
fn memory(entry: &Entry, total: Option<u64>) -> Option<Limit> {
    let quarter = total? / 4;
    let most = quarter / BYTES_PER_PROCESS / entry.processes_per_worker.max(1) as u64;
    Some((
        most,
        format!("a quarter of the memory, {} MiB", quarter >> 20),
    ))
}

fn total_memory() -> Option<u64> {
    let info = rustix::system::sysinfo();
    (info.totalram as u64).checked_mul(info.mem_unit.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paradigm::{ALL, position};

    fn entry(name: &str) -> &'static Entry {
        &ALL[position(name).unwrap()]
    }

    #[test]
    fn a_small_limit_makes_fewer_workers_and_says_so() {
        let (workers, notice) = clamp(entry("async"), 1_000, Some(256));
        assert_eq!(workers, 200);
        assert_eq!(
            notice.as_deref(),
            Some("workers 1000 -> 200: at most 256 open files")
        );
    }

    #[test]
    fn one_worker_is_always_left_and_enough_files_change_nothing() {
        assert_eq!(clamp(entry("threads"), 16, Some(20)).0, 1);
        assert_eq!(clamp(entry("async"), 1_000, Some(20_000)), (1_000, None));
        assert_eq!(clamp(entry("async"), 1_000, None), (1_000, None));
        assert_eq!(clamp(entry("serial"), 9, Some(20)), (1, None));
    }

    #[test]
    fn the_smallest_limit_counts_and_is_named() {
        let processes_entry = entry("processes");
        let limits = |nproc| {
            [
                files(processes_entry, Some(20_000)),
                processes(processes_entry, nproc),
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
}
