//! How files are made that the program writes: a link is never followed, so that nobody else's
//! file is written over by the name of ours.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Where links are the system's own, such as `/dev/stdout`.
const SYSTEM_FOLDERS: [&str; 2] = ["/dev", "/proc"];

fn without_links(path: &Path) -> OpenOptions {
    let mut options = OpenOptions::new();
    if !SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

/// A file that a user has named, empty.
///
/// # Errors
/// If it cannot be made, or is a link.
pub fn named(path: &Path) -> io::Result<File> {
    without_links(path)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
}

/// A file under a name that nobody has asked for: only a new one.
pub(super) fn unnamed(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// A file of which only its owner may know, to be appended to.
pub(super) fn private(path: &Path) -> io::Result<File> {
    without_links(path)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// A folder, and those above it, of which only its owner may know.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_link_is_not_followed_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (other, link) = (folder.path().join("other"), folder.path().join("link"));
        fs::write(&other, "of somebody else").unwrap();
        symlink(&other, &link).unwrap();
        for made in [named(&link), unnamed(&link), private(&link)] {
            let error = made.unwrap_err();
            assert!(
                error.kind() == io::ErrorKind::AlreadyExists || error.raw_os_error() == Some(40),
                "{error}"
            );
        }
        assert!(unnamed(&other).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "of somebody else");
        named(&other).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "");
        named(Path::new("/dev/stdout")).unwrap();
    }

    #[test]
    fn what_is_private_is_so() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        private_folder(&inner).unwrap();
        private(&inner.join("log")).unwrap();
        for (path, mode) in [("a", 0o700), ("a/b", 0o700), ("a/b/log", 0o600)] {
            let metadata = fs::metadata(folder.path().join(path)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{path}");
        }
    }
}
