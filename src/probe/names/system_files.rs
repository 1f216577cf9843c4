//! resolv.conf and the hosts file, read again when they change.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::hosts_file::HostsFile;
use super::resolv_conf::ResolvConf;

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

/// The most of a file that is read, in bytes.
const MOST_BYTES: u64 = 8 << 20;

/// The two files as they were last seen, for all checks of a process.
#[derive(Debug, Default)]
pub(in super::super) struct SystemFiles {
    resolv_conf: Mutex<Option<Seen<ResolvConf>>>,
    hosts: Mutex<Option<Seen<HostsFile>>>,
}

/// What was read, and of which state of the file.
#[derive(Debug)]
struct Seen<T> {
    state: Option<FileState>,
    /// Whether a later change is bound to be another state: the times of files have the steps of
    /// the kernel's clock.
    settled: bool,
    read: Arc<T>,
}

/// By what a changed file is known: its device, number, size and times (stat(2)).
type FileState = (u64, u64, u64, [i64; 4]);

impl SystemFiles {
    pub(super) fn resolv_conf(&self) -> Arc<ResolvConf> {
        let now = SystemTime::now();
        current(&self.resolv_conf, Path::new(RESOLV_CONF), now, |bytes| {
            let variable = |name| std::env::var(name).ok();
            let (search, options) = (variable("LOCALDOMAIN"), variable("RES_OPTIONS"));
            ResolvConf::parse(bytes, search.as_deref(), options.as_deref())
        })
    }

    pub(super) fn hosts(&self) -> Arc<HostsFile> {
        current(
            &self.hosts,
            Path::new(HOSTS),
            SystemTime::now(),
            HostsFile::parse,
        )
    }
}

/// What the file says now. A file that cannot be read is as good as an empty one.
fn current<T>(
    seen: &Mutex<Option<Seen<T>>>,
    path: &Path,
    now: SystemTime,
    parse: impl FnOnce(&[u8]) -> T,
) -> Arc<T> {
    let state = state(path);
    // Every change is complete before anything could panic.
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(seen) = &*seen
        && seen.state == state
        && seen.settled
    {
        return Arc::clone(&seen.read);
    }
    let settled = state.is_none_or(|(_, _, _, [modified, _, changed, _])| {
        let now = now.duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        let since = |second: i64| now.abs_diff(u64::try_from(second).unwrap_or(0));
        since(modified.max(changed)) > 1
    });
    let bytes = read(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "{} cannot be read", path.display());
        Vec::new()
    });
    let read = Arc::new(parse(&bytes));
    *seen = Some(Seen {
        state,
        settled,
        read: Arc::clone(&read),
    });
    read
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `None` where there is no file.
fn state(path: &Path) -> Option<FileState> {
    let data = fs::metadata(path).ok()?;
    let times = [
        data.mtime(),
        data.mtime_nsec(),
        data.ctime(),
        data.ctime_nsec(),
    ];
    Some((data.dev(), data.ino(), data.len(), times))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_changed_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts");
        let seen = Mutex::new(None);
        let later = SystemTime::now() + Duration::from_secs(60);
        let text_at = |now| {
            current(&seen, &path, now, |bytes| {
                String::from_utf8_lossy(bytes).into_owned()
            })
        };
        let text = || text_at(later);
        assert_eq!(*text(), "");
        fs::write(&path, "one").unwrap();
        let first = text();
        assert_eq!(*first, "one");
        assert!(Arc::ptr_eq(&first, &text()));
        // Replaced by another file of the same size, as editors do it.
        fs::write(folder.path().join("new"), "two").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(*text_at(SystemTime::now()), "two");
        // Changed in the same step of the kernel's clock, and as long as before.
        fs::write(&path, "six").unwrap();
        assert_eq!(*text(), "six");
        fs::remove_file(&path).unwrap();
        assert_eq!(*text(), "");
    }
}
