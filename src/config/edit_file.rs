//! Replacing the file by its edited text: read, edited, checked against changes of others, and put in
//! its place atomically. The text that was there can be put back.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use crate::domain::plain_io_error;

use super::diagnostics::{Diagnostics, shown_path};
use super::files::{self, ContentHash};

/// Why the file was not changed.
#[derive(Debug)]
pub enum EditError {
    /// The file has mistakes, which an edit could make worse.
    Invalid(Diagnostics),
    /// The file could not be read or written, or the site was not found in it.
    Failed {
        /// The path of the file.
        path: PathBuf,
        /// The reason in plain words.
        why: String,
    },
}

impl EditError {
    pub(super) fn failed(path: &Path, why: impl Into<String>) -> Self {
        Self::Failed {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}

impl EditError {
    /// The reason in one line, for somebody who knows of which file.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Invalid(mistakes) => {
                let first = mistakes.iter().next().map(ToString::to_string);
                first.unwrap_or_default()
            }
            Self::Failed { why, .. } => why.clone(),
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(mistakes) => {
                write!(f, "not changed, because of mistakes in it: {mistakes}")
            }
            Self::Failed { path, why } => {
                write!(f, "{} could not be changed: {why}", shown_path(path))
            }
        }
    }
}

impl std::error::Error for EditError {}

/// The content that an edit wrote; passed to [`Watcher::expect`](super::Watcher::expect), so that
/// the program's own edit does not count as a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenContent(ContentHash);

impl WrittenContent {
    pub(super) const fn content(self) -> ContentHash {
        self.0
    }
}

/// An edit that was written.
#[derive(Debug)]
pub struct WrittenEdit {
    /// The content of the file since.
    pub content: WrittenContent,
    /// What takes the edit back.
    pub undo: FileUndo,
}

/// The content of a file before an edit, which [`restore`] puts back.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUndo {
    before: Box<[u8]>,
    after: ContentHash,
}

impl fmt::Debug for FileUndo {
    /// Without the text, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.before.len();
        f.debug_struct("FileUndo").field("bytes", &bytes).finish()
    }
}

/// Replaces the text of the file by what `edit` makes of it.
pub(super) fn rewrite(
    path: &Path,
    edit: impl FnOnce(&str) -> Result<String, EditError>,
) -> Result<WrittenEdit, EditError> {
    let files::LoadedFile { text, source } =
        files::read_regular(path).map_err(EditError::Invalid)?;
    let edited = edit(&text)?;
    let before = unchanged(path, source.content)?;
    let mut content = Vec::with_capacity(edited.len() + 3);
    if before.len() > text.len() {
        content.extend_from_slice(files::BYTE_ORDER_MARK.encode_utf8(&mut [0; 4]).as_bytes());
    }
    content.extend_from_slice(edited.as_bytes());
    write(path, before, &content)
}

/// Puts back the content that was there before an edit.
///
/// # Errors
/// [`EditError`]: the file was changed since, or cannot be written.
pub fn restore(path: &Path, undo: &FileUndo) -> Result<WrittenEdit, EditError> {
    let before = unchanged(path, Some(undo.after))?;
    write(path, before, &undo.before)
}

/// The bytes of the file, if they are those of `expected`.
fn unchanged(path: &Path, expected: Option<ContentHash>) -> Result<Vec<u8>, EditError> {
    let (bytes, _) = files::regular(path, files::MOST_BYTES)
        .map_err(|error| EditError::failed(path, error.to_string()))?;
    if Some(ContentHash::of(&bytes)) == expected {
        return Ok(bytes);
    }
    Err(EditError::failed(path, "another program has changed it"))
}

fn write(path: &Path, before: Vec<u8>, content: &[u8]) -> Result<WrittenEdit, EditError> {
    if content != before {
        replace(path, content)
            .map_err(|error| EditError::failed(path, plain_io_error(&error).into_owned()))?;
    }
    let after = ContentHash::of(content);
    Ok(WrittenEdit {
        content: WrittenContent(after),
        undo: FileUndo {
            before: before.into_boxed_slice(),
            after,
        },
    })
}

/// Puts `content` in the place of the file atomically: a reader, even after a crash, sees
/// either the old content or the new.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link stays a link; what it leads to is replaced.
    let target = fs::canonicalize(path)?;
    let metadata = fs::metadata(&target)?;
    if metadata.permissions().readonly() {
        return Err(io::Error::other("it is read-only"));
    }
    let folder = target.parent().unwrap_or_else(|| Path::new("/"));
    let temporary = TemporaryFile::create(folder, &metadata.permissions())?;
    // Only a privileged user may give a file away; for others it is theirs already.
    let _ = chown(&temporary.path, Some(metadata.uid()), Some(metadata.gid()));
    fs::set_permissions(&temporary.path, metadata.permissions())?;
    let mut file = &temporary.file;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary.path, &target)?;
    // The rename itself must survive a crash; not every file system can say so of a folder.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A file that is being written, removed again unless it was renamed.
struct TemporaryFile {
    path: PathBuf,
    file: File,
}

impl TemporaryFile {
    fn create(folder: &Path, permissions: &Permissions) -> io::Result<Self> {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let mut number = 0;
        loop {
            let path = folder.join(format!(".sites.toml.{}-{number}", std::process::id()));
            let created = OpenOptions::new()
                .write(true)
                .create_new(true)
                // Never wider than the original, not even for a moment.
                .mode(permissions.mode() & 0o600)
                .open(&path);
            match created {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                created => {
                    return Ok(Self {
                        path,
                        file: created?,
                    });
                }
            }
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // After the rename there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }
}
