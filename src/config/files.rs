//! Reading a whole file within bounds of size and time, and telling later whether it has changed.

use std::cell::RefCell;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::domain::plain_io_error;

use super::diagnostics::{Diagnostic, Diagnostics, Place, shown_path};

/// The largest file of sites that is read. A million sites are some 40 MB.
pub(super) const MOST_BYTES: u64 = 64 << 20;

/// How long a pipe is read that the configuration comes from.
const PIPE_TIMEOUT: Duration = Duration::from_secs(30);

/// Equal for equal content; different, but for a chance of 1 in 2⁶⁴, for different content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentHash(u64);

impl ContentHash {
    pub(super) fn of(content: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(content);
        Self(hasher.finish())
    }
}

/// The metadata of a file that change whenever its content does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds. The time of the last change of status is there because a
    /// program may set the modification time back, but not this one.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for FileStamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file that the configuration came from, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path of the file, as given or as a pattern found it.
    pub path: PathBuf,
    /// The hash of its content; `None` if it could not be read.
    pub content: Option<ContentHash>,
    /// `None` for a file that may not be read twice, such as a pipe.
    pub(super) stamp: Option<FileStamp>,
    /// A key names it, as `ca_file` does or a secret; no pattern found it.
    pub(super) named: bool,
}

impl SourceFile {
    /// A file as it was when it was read.
    pub(super) fn new(path: &Path, bytes: &[u8], metadata: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            content: Some(ContentHash::of(bytes)),
            stamp: metadata.is_file().then(|| FileStamp::from(metadata)),
            named: false,
        }
    }

    /// A text in memory, with the name of a file.
    pub(super) fn of_text(path: &Path, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            content: Some(ContentHash::of(text.as_bytes())),
            stamp: None,
            named: false,
        }
    }

    /// The same, named by a key.
    pub(super) const fn named(mut self) -> Self {
        self.named = true;
        self
    }
}

/// Files that keys name.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedFiles<'a> {
    /// What their paths are relative to: the folder of `sites.toml`.
    pub(super) folder: &'a Path,
    /// Those that were read.
    pub(super) sources: &'a RefCell<Vec<SourceFile>>,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct LoadedFile {
    /// Without a byte order mark.
    pub(super) text: String,
    pub(super) source: SourceFile,
}

/// Reads a text file.
///
/// # Errors
/// A missing file, a folder, missing permission, more than 64 MiB, text that is not UTF-8.
pub(super) fn read(path: &Path) -> Result<LoadedFile, Diagnostics> {
    loaded(path, bytes(path))
}

/// As [`read`], for what must be a regular file: a list, or a file that is edited.
pub(super) fn read_regular(path: &Path) -> Result<LoadedFile, Diagnostics> {
    loaded(path, regular(path, MOST_BYTES))
}

fn loaded(
    path: &Path,
    bytes: Result<(Vec<u8>, Metadata), ReadFileError>,
) -> Result<LoadedFile, Diagnostics> {
    let (bytes, metadata) =
        bytes.map_err(|error| Diagnostics::of_file(path, &format!("cannot be read: {error}")))?;
    let source = SourceFile::new(path, &bytes, &metadata);
    let mut text = String::from_utf8(bytes).map_err(|error| not_text(path, &error))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(LoadedFile { text, source })
}

/// What some editors put in front of a text; not part of it.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a regular file of at most `most` bytes whole, with the metadata it had before. Never
/// waits: what is a pipe or a device is not read.
///
/// # Errors
/// A file that is no regular one, is larger, or cannot be read.
pub(super) fn regular(path: &Path, most: u64) -> Result<(Vec<u8>, Metadata), ReadFileError> {
    // Before it is opened, which alone may do something to a device.
    if !std::fs::metadata(path)?.is_file() {
        return Err(no_file(path));
    }
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(no_file(path));
    }
    let bytes = whole(&mut file, &metadata, most)?;
    Ok((bytes, metadata))
}

/// As [`regular`], for the file of the configuration itself, which may be a pipe: what that
/// gives within [`PIPE_TIMEOUT`].
pub(super) fn bytes(path: &Path) -> Result<(Vec<u8>, Metadata), ReadFileError> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    let bytes = if metadata.is_file() {
        whole(&mut file, &metadata, MOST_BYTES)?
    } else {
        piped(&mut file)?
    };
    Ok((bytes, metadata))
}

/// Opens a file without waiting for a writer, or for what a device may say.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn no_file(path: &Path) -> ReadFileError {
    if path.is_dir() {
        io::Error::from(io::ErrorKind::IsADirectory).into()
    } else {
        ReadFileError::NoRegularFile
    }
}

fn whole(file: &mut File, metadata: &Metadata, most: u64) -> Result<Vec<u8>, ReadFileError> {
    if metadata.len() > most {
        return Err(ReadFileError::TooLarge(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // A file may grow while it is read, and one of /proc may never end.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(ReadFileError::TooLarge(most));
    }
    Ok(bytes)
}

/// Reads a pipe or device to its end.
fn piped(file: &mut File) -> Result<Vec<u8>, ReadFileError> {
    let until = Instant::now() + PIPE_TIMEOUT;
    let mut bytes = Vec::new();
    let mut part = vec![0; 64 << 10];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or_default();
        // Before the first reading, because a pipe that nobody writes to yet has no end either.
        let mut waited = [PollFd::new(&*file, PollFlags::IN)];
        match poll(&mut waited, Some(&left)) {
            Ok(0) => return Err(ReadFileError::Endless),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(io::Error::from(error).into()),
        }
        match file.read(&mut part) {
            Ok(0) => return Ok(bytes),
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if bytes.len() as u64 > MOST_BYTES {
            return Err(ReadFileError::TooLarge(MOST_BYTES));
        }
        if Instant::now() >= until {
            return Err(ReadFileError::Endless);
        }
    }
}

/// Why a file was not read. Displays it in plain words, without the name of the file.
#[derive(Debug)]
pub(super) enum ReadFileError {
    /// The system refuses.
    Io(io::Error),
    /// It is a pipe, a device or a socket.
    NoRegularFile,
    /// It has more bytes than so many.
    TooLarge(u64),
    /// A pipe or device whose end did not come in time.
    Endless,
}

impl From<io::Error> for ReadFileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ReadFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&plain_io_error(error)),
            Self::NoRegularFile => f.write_str("it is not a regular file"),
            Self::TooLarge(most) if *most < 1 << 20 => {
                write!(f, "it is larger than {} KiB", most >> 10)
            }
            Self::TooLarge(most) => write!(f, "it is larger than {} MiB", most >> 20),
            Self::Endless => write!(f, "it has no end after {} s", PIPE_TIMEOUT.as_secs()),
        }
    }
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Diagnostics {
    let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line_start = good
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let place = Place {
        line: good.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&good[line_start..]).chars().count() + 1,
    };
    let mistake = Diagnostic {
        file: shown_path(path),
        place: Some(place),
        key: Box::default(),
        sentence: "not UTF-8 text from here on".into(),
        excerpt: None,
    };
    Diagnostics::new(vec![mistake], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(path: &Path) -> String {
        read(path).unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_cannot_be_read_says_why_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.toml");
        assert_eq!(
            sentence(&missing),
            format!(
                "{}: cannot be read: there is no such file",
                missing.display()
            )
        );
        assert!(sentence(folder.path()).ends_with(": cannot be read: it is a folder"));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(!sentence(&file.join("below")).contains("os error"));
    }

    #[test]
    fn a_file_that_is_not_text_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latin1.toml");
        std::fs::write(&path, b"# ok\nname = \"caf\xe9\"\n").unwrap();
        assert!(sentence(&path).ends_with("latin1.toml:2:12: not UTF-8 text from here on"));
    }

    #[test]
    fn a_file_beyond_the_bound_is_refused_without_being_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        File::create(&path)
            .unwrap()
            .set_len(MOST_BYTES + 1)
            .unwrap();
        assert!(sentence(&path).ends_with("cannot be read: it is larger than 64 MiB"));
        assert!(sentence(Path::new("/dev/zero")).ends_with("it is larger than 64 MiB"));
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bom");
        std::fs::write(&path, "\u{feff}a").unwrap();
        assert_eq!(read(&path).unwrap().text, "a");
    }
}
