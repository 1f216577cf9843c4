//! Errors of the operating system in plain words: no number, no name of a library.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::text::clean;

/// The line in which an error is printed on standard error: `squirrel: WHAT: WHY`.
#[must_use]
pub fn error_line(error: impl fmt::Display) -> String {
    format!("squirrel: {error}")
}

/// Why the operating system refused something: a phrase without a number, such as "permission
/// denied", that follows a colon.
///
/// An error that the program made itself (`io::Error::other("…")`) is its own text.
#[must_use]
pub fn plain_io_error(error: &io::Error) -> Cow<'static, str> {
    use io::ErrorKind as Kind;
    if let Some(inner) = error.get_ref() {
        return without_number(&inner.to_string()).to_owned().into();
    }
    // ENFILE and EMFILE have no kind of their own.
    if matches!(error.raw_os_error(), Some(23 | 24)) {
        return "too few open files are allowed".into();
    }
    // ELOOP has none that is stable: a link where none is followed, or a circle of them.
    if error.raw_os_error() == Some(40) {
        return "it is a link".into();
    }
    Cow::Borrowed(match error.kind() {
        Kind::NotFound => "there is no such file",
        Kind::PermissionDenied => "permission denied",
        Kind::AlreadyExists => "it is there already",
        Kind::IsADirectory => "it is a folder",
        Kind::NotADirectory => "a part of its path is a file, not a folder",
        Kind::StorageFull => "the disk is full",
        Kind::QuotaExceeded => "the quota of this user is used up",
        Kind::ReadOnlyFilesystem => "the file system is read-only",
        Kind::FileTooLarge => "it is too large",
        Kind::BrokenPipe => "the reader is gone",
        Kind::OutOfMemory => "this machine is out of memory",
        Kind::ConnectionRefused => "connection refused",
        _ => return without_number(&error.to_string()).to_lowercase().into(),
    })
}

/// A text of the standard library without its end, " (os error 2)".
fn without_number(text: &str) -> &str {
    text.find(" (os error")
        .map_or(text, |end| text.get(..end).unwrap_or(text))
}

/// What was tried with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    MakeFolder,
}

/// A file that cannot be used: `PATH: cannot be read: WHY`.
#[derive(Debug)]
pub struct FileError {
    path: PathBuf,
    access: Access,
    error: io::Error,
}

impl FileError {
    /// The file at `path` cannot be read.
    #[must_use]
    pub fn read(path: &Path, error: io::Error) -> Self {
        Self::new(path, Access::Read, error)
    }

    /// The file at `path` cannot be made or written.
    #[must_use]
    pub fn write(path: &Path, error: io::Error) -> Self {
        Self::new(path, Access::Write, error)
    }

    /// The folder at `path` cannot be made.
    #[must_use]
    pub fn make_folder(path: &Path, error: io::Error) -> Self {
        Self::new(path, Access::MakeFolder, error)
    }

    fn new(path: &Path, access: Access, error: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            access,
            error,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = clean(&self.path.to_string_lossy(), 1_000);
        let access = match self.access {
            Access::Read => "cannot be read",
            Access::Write => "cannot be written",
            Access::MakeFolder => "the folder cannot be made",
        };
        let why = match (self.access, self.error.kind()) {
            // A file that is not there would be made: the folder is missing.
            (Access::Write | Access::MakeFolder, io::ErrorKind::NotFound) => {
                "there is no such folder".into()
            }
            (Access::MakeFolder, io::ErrorKind::AlreadyExists) => {
                "a file of that name is there".into()
            }
            _ => plain_io_error(&self.error),
        };
        write!(f, "{path}: {access}: {why}")
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_of_linux_is_told_with_its_number() {
        for number in 1..=133 {
            let text = plain_io_error(&io::Error::from_raw_os_error(number));
            assert!(!text.is_empty() && !text.contains("os error"), "{text}");
            assert!(!text.starts_with(char::is_uppercase), "{text}");
        }
        let wrapped = io::Error::other(io::Error::from_raw_os_error(5).to_string());
        assert_eq!(plain_io_error(&wrapped), "Input/output error");
    }

    #[test]
    fn a_file_is_named_with_what_was_tried() {
        let error = |number| io::Error::from_raw_os_error(number);
        let path = Path::new("a\nb");
        for (error, text) in [
            (
                FileError::read(path, error(2)),
                "a b: cannot be read: there is no such file",
            ),
            (
                FileError::write(path, error(2)),
                "a b: cannot be written: there is no such folder",
            ),
            (
                FileError::write(path, error(28)),
                "a b: cannot be written: the disk is full",
            ),
            (
                FileError::make_folder(path, error(17)),
                "a b: the folder cannot be made: a file of that name is there",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
