//! Reading a whole file of at most 64 MiB, and telling later whether it has changed.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::domain::plain_io_error;

use super::diagnostics::{Diagnostic, Diagnostics, Place, shown_path};

/// The largest file that is read. A million sites are some 40 MB.
const MOST_BYTES: u64 = 64 << 20;

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
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct LoadedFile {
    /// Without a byte order mark.
    pub(super) text: String,
    pub(super) source: SourceFile,
}

/// The stamp of a regular file; an error for anything else.
pub(super) fn stamp(path: &Path) -> io::Result<FileStamp> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(FileStamp::from(&metadata))
}

/// Reads a text file.
///
/// # Errors
/// A missing file, a folder, missing permission, more than 64 MiB, text that is not UTF-8.
pub(super) fn read(path: &Path) -> Result<LoadedFile, Diagnostics> {
    let (bytes, metadata) =
        bytes(path).map_err(|error| Diagnostics::of_file(path, &unreadable(&error)))?;
    let source = SourceFile {
        path: path.to_owned(),
        content: Some(ContentHash::of(&bytes)),
        stamp: metadata.is_file().then(|| FileStamp::from(&metadata)),
    };
    let mut text = String::from_utf8(bytes).map_err(|error| not_text(path, &error))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(LoadedFile { text, source })
}

/// What some editors put in front of a text; not part of it.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a file whole, with the metadata it had before.
pub(super) fn bytes(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.len() > MOST_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // A file may grow while it is read, and a device may never end.
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok((bytes, metadata))
}

/// Why a file of the configuration cannot be read, in plain words.
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => format!("it is larger than {} MiB", MOST_BYTES >> 20),
        _ => plain_io_error(error).into_owned(),
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {}", plain(error))
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
