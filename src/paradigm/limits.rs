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

/// The number of workers that the limit allows, and what to say if that is fewer.
#[must_use]
pub fn clamp(entry: &Entry, wanted: usize, open_files: Option<u64>) -> (usize, Option<String>) {
    if !entry.resizable {
        return (entry.default_workers, None);
    }
    let wanted = wanted.max(1);
    let Some(files) = open_files else {
        return (wanted, None);
    };
    let most = files.saturating_sub(RESERVED) / entry.files_per_worker.max(1) as u64;
    let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    if wanted <= most {
        return (wanted, None);
    }
    let notice = format!("workers {wanted} -> {most}: at most {files} open files");
    (most, Some(notice))
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
}
