//! Opens the file: creates its folder, takes its lock, brings its schema to this version.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::domain::{FileError, TimeFormat, Timestamp, plain_io_error};

use super::file_identity::FileKind;
use super::lock::{Lock, LockError, beside};
use super::memory_fallback::MEMORY_TABLES;
use super::schema::{APPLICATION_ID, SchemaError, VERSION, migrate};
use super::store::Store;

/// How long another program's lock is waited for while memory takes the file's place: commands
/// are not to wait every time.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_millis(100);

/// The folder that is only this program's.
const STATE_FOLDER: &str = "uptime-squirrel";

/// Where the history is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryStorage {
    /// In memory: it ends with the program.
    Memory,
    /// In this file, which is created where it does not exist.
    File(PathBuf),
}

/// Why the program must not use this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another monitor has it open.
    InUse {
        /// The path of the history file.
        path: PathBuf,
        /// The number of that process, where it could be read.
        holder: Option<u32>,
    },
    /// A newer version of the program wrote it.
    Newer {
        /// The path of the history file.
        path: PathBuf,
        /// The version of its schema.
        version: i32,
    },
    /// It is no history: the database of another program, or no database.
    Foreign {
        /// The path of the history file.
        path: PathBuf,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path, holder } => {
                write!(
                    f,
                    "{}: another monitor keeps its history here",
                    path.display()
                )?;
                if let Some(holder) = holder {
                    write!(f, " (process {holder})")?;
                }
                f.write_str("; give this one a file of its own with --history FILE, or none")
            }
            Self::Newer { path, version } => write!(
                f,
                "{}: written by a newer version of squirrel (tables of version {version}); \
                 update squirrel, or use another file with --history FILE",
                path.display()
            ),
            Self::Foreign { path } => write!(
                f,
                "{}: no history of squirrel, and left as it is; use another file with --history FILE",
                path.display()
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a file cannot be used now.
#[derive(Debug)]
pub(super) enum Fault {
    Refused(Refusal),
    /// Its contents are no sound database.
    Damaged,
    /// The disk or the permissions: a sentence that begins with the path.
    Unusable(String),
}

impl Fault {
    /// A sentence that begins with the path.
    pub(super) fn sentence(&self, path: &Path) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::Damaged => format!("{}: damaged", path.display()),
            Self::Unusable(why) => why.clone(),
        }
    }
}

/// Opens the file at `path`, or creates it. Takes its lock unless `held` has it already; the
/// lock is kept whatever else fails. For so long as `patience` lasts another program may hold
/// the file, now and later.
pub(super) fn open(
    path: &Path,
    held: &mut Option<Lock>,
    patience: Duration,
) -> Result<Store, Fault> {
    let unusable =
        |error: &dyn fmt::Display| Fault::Unusable(format!("{}: {error}", path.display()));
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| Fault::Unusable(FileError::make_folder(folder, error).to_string()))?;
    }
    if path.is_dir() {
        let error = io::ErrorKind::IsADirectory.into();
        return Err(Fault::Unusable(FileError::write(path, error).to_string()));
    }
    let foreign = || {
        Fault::Refused(Refusal::Foreign {
            path: path.to_owned(),
        })
    };
    // Before anything is made beside it, or SQLite changes how it is written.
    match FileKind::of(path) {
        FileKind::Other => return Err(foreign()),
        FileKind::OtherDatabase if is_of_another_program(path) => return Err(foreign()),
        _ => {}
    }
    if held.is_none() {
        let lock = Lock::take(path).map_err(|error| match error {
            LockError::Held(holder) => Fault::Refused(Refusal::InUse {
                path: path.to_owned(),
                holder,
            }),
            LockError::Io(lock, error) => {
                Fault::Unusable(FileError::write(&lock, error).to_string())
            }
        })?;
        *held = Some(lock);
    }
    // Only its owner may read it: SQLite would make it as the umask has it, and makes the files
    // beside it like it. Where that fails, SQLite says why.
    let _there_already = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    connect(path, patience).map_err(|error| match error {
        SchemaError::Newer(version) => Fault::Refused(Refusal::Newer {
            path: path.to_owned(),
            version,
        }),
        SchemaError::Foreign => foreign(),
        SchemaError::Sqlite(error) if is_damage(&error) => Fault::Damaged,
        SchemaError::Sqlite(error) => unusable(&plain(&error)),
    })
}

/// Whether a database has tables, and not the mark of this program: in its write-ahead log
/// neither. One that is damaged is this program's where a monitor has had its history.
fn is_of_another_program(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let found = Connection::open_with_flags(path, flags).and_then(|connection| {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        Ok(tables > 0 && id != APPLICATION_ID)
    });
    // What cannot be read now for another reason is found out later.
    found.unwrap_or_else(|error| is_damage(&error) && !Lock::was_taken(path))
}

fn connect(path: &Path, patience: Duration) -> Result<Store, SchemaError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(patience)?;
    let (store, before) = prepare(connection)?;
    if (1..VERSION).contains(&before) {
        make_private(path);
    }
    Ok(store)
}

/// Takes from others what earlier versions let them read. Later it is as its owner wants it.
fn make_private(path: &Path) {
    let files = ["", "-wal", "-shm", ".lock"].map(|ending| beside(path, ending));
    let files = files.iter().map(|file| (file.as_path(), 0o600));
    let folder = path
        .parent()
        .filter(|folder| folder.ends_with(STATE_FOLDER));
    for (path, mode) in files.chain(folder.map(|folder| (folder, 0o700))) {
        if path.exists()
            && let Err(error) = fs::set_permissions(path, Permissions::from_mode(mode))
        {
            let error = plain_io_error(&error);
            tracing::warn!("{}: others may read it still: {error}", path.display());
        }
    }
}

/// A database in memory.
///
/// # Errors
/// Why not, in plain words.
pub(super) fn in_memory() -> Result<Store, String> {
    let prepared = Connection::open_in_memory()
        .map_err(SchemaError::from)
        .and_then(prepare);
    let prepared = prepared.and_then(|(store, _)| {
        store.connection.execute_batch(MEMORY_TABLES)?;
        // A copy into the file waits no longer than this for another program.
        store.connection.busy_timeout(SHORT_PATIENCE)?;
        Ok(store)
    });
    match prepared {
        Ok(store) => Ok(store),
        Err(SchemaError::Sqlite(error)) => Err(plain(&error)),
        Err(SchemaError::Newer(_) | SchemaError::Foreign) => Err("it is not empty".to_owned()),
    }
}

/// Brings the schema to this version; gives with it the version that the file had.
fn prepare(mut connection: Connection) -> Result<(Store, i32), SchemaError> {
    // Before the first table; afterwards it would take a rewrite of the file.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A crash of the program loses nothing that was committed, one of the machine at most the
    // last moments; the file stays sound either way (sqlite.org/wal.html, "Performance
    // considerations").
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 8 * 1024 * 1024)?;
    // A checkpoint waits for the disk twice: at that size, not at half of it.
    connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let before = migrate(&mut connection)?;
    Ok((Store::new(connection)?, before))
}

/// Moves a damaged file aside, with its write-ahead log. Returns its new name.
pub(super) fn put_aside(path: &Path, now: Timestamp) -> Result<PathBuf, String> {
    let stamp = TimeFormat::FileName.of(now, &TimeZone::UTC);
    let free = (0..100).map(|number| match number {
        0 => beside(path, &format!(".damaged-{stamp}")),
        number => beside(path, &format!(".damaged-{stamp}-{number}")),
    });
    let aside = free
        .into_iter()
        .find(|aside| !aside.exists())
        .ok_or("no free name beside it")?;
    fs::rename(path, &aside).map_err(|error| plain_io_error(&error).into_owned())?;
    for ending in ["-wal", "-shm"] {
        let part = beside(path, ending);
        if part.exists() {
            fs::rename(&part, beside(&aside, ending))
                .map_err(|error| plain_io_error(&error).into_owned())?;
        }
    }
    Ok(aside)
}

/// Whether an error says that the file is no sound database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// An error of SQLite in plain words.
pub(super) fn plain(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "not writable".to_owned(),
        Some(ErrorCode::CannotOpen) => "cannot be opened or made".to_owned(),
        Some(ErrorCode::SystemIoFailure) => "the disk fails to read or write".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "held by another program".to_owned()
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "damaged".to_owned(),
        Some(ErrorCode::OutOfMemory) => "this machine is out of memory".to_owned(),
        Some(ErrorCode::TooBig) => "a text or a number of bytes in it is too large".to_owned(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            "a row does not fit its table".to_owned()
        }
        Some(ErrorCode::FileLockingProtocolFailed | ErrorCode::NoLargeFileSupport) => {
            "the file system does not do what a database needs".to_owned()
        }
        _ => match error {
            rusqlite::Error::SqlInputError { msg, .. } => {
                format!("it lacks what is asked of it ({msg})")
            }
            rusqlite::Error::SqliteFailure(_, Some(text)) => format!("SQLite says: {text}"),
            rusqlite::Error::SqliteFailure(code, None) => {
                format!("SQLite failed with the code {}", code.extended_code)
            }
            _ => "a value in it is of the wrong kind".to_owned(),
        },
    }
}
