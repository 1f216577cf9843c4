//! Runs an installed redis-server or valkey-server as a broker on a private socket, with an
//! append-only file that survives a crash.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, getppid, getuid, set_parent_process_death_signal};

use crate::domain::{MaskedUrl, plain_io_error};

/// The server programs, the preferred one first.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The longest path of a Unix socket, in bytes (unix(7)).
const MAX_SOCKET_PATH_BYTES: usize = 107;

/// The options of a broker of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerOptions {
    /// The folder of its data and socket; created if it is missing, with access for this user
    /// alone.
    pub folder: PathBuf,
    /// The process with which it ends; `None`: it runs until it is stopped.
    pub parent: Option<u32>,
}

/// Why a broker of one's own cannot be started. The text is one sentence.
#[derive(Debug)]
pub enum ServeError {
    /// Neither `redis-server` nor `valkey-server` is installed.
    NotInstalled,
    /// The path of the socket exceeds the 107 bytes that the system allows.
    SocketPathTooLong(PathBuf),
    /// The folder for the data cannot be made, or others can enter it.
    Folder {
        /// The folder that cannot be used.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The process with which this one is to end has ended already, or cannot be watched.
    Parent(io::Error),
    /// The server program cannot be executed.
    Execute {
        /// The server program that cannot be started.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str(
                "no broker: install redis-server or valkey-server (apt install redis-server), \
                 or name one by --broker or [queue] in sites.toml",
            ),
            Self::SocketPathTooLong(path) => write!(
                f,
                "the path of the socket is too long for the system: {}",
                path.display()
            ),
            Self::Folder { path, source } => write!(
                f,
                "no place for the broker's data at {}: {}",
                path.display(),
                plain_io_error(source)
            ),
            Self::Parent(source) => f.write_str(&plain_io_error(source)),
            Self::Execute { program, source } => write!(
                f,
                "{} cannot be started: {}",
                program.display(),
                plain_io_error(source)
            ),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotInstalled | Self::SocketPathTooLong(_) => None,
            Self::Folder { source, .. } | Self::Parent(source) | Self::Execute { source, .. } => {
                Some(source)
            }
        }
    }
}

impl BrokerOptions {
    /// The path of the socket on which it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    /// The URL for workers and monitors on this machine.
    #[must_use]
    pub fn url(&self) -> MaskedUrl {
        MaskedUrl::new(format!("redis+socket://{}", self.socket().display()))
    }
}

/// The path of the server program.
///
/// # Errors
/// If neither program is on the `PATH`.
pub(super) fn find() -> Result<PathBuf, ServeError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let executable = |path: &PathBuf| {
        fs::metadata(path)
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    PROGRAMS
        .iter()
        .flat_map(|program| std::env::split_paths(&path).map(move |folder| folder.join(program)))
        .find(executable)
        .ok_or(ServeError::NotInstalled)
}

/// A server that can be started: its program is installed, and its folder is this user's alone.
#[derive(Debug)]
pub struct PreparedServer {
    program: PathBuf,
    folder: PathBuf,
    socket: PathBuf,
}

impl PreparedServer {
    /// Finds the program and makes the folder.
    ///
    /// # Errors
    /// If no server program is installed, the folder cannot be used, or the process with which this
    /// one is to end has ended.
    pub fn prepare(options: &BrokerOptions) -> Result<Self, ServeError> {
        let program = find()?;
        let folder = prepare(&options.folder)?;
        let socket = folder.join("redis.sock");
        if socket.as_os_str().len() > MAX_SOCKET_PATH_BYTES {
            return Err(ServeError::SocketPathTooLong(socket));
        }
        if let Some(parent) = options.parent {
            die_with(parent).map_err(ServeError::Parent)?;
        }
        Ok(Self {
            program,
            folder,
            socket,
        })
    }

    /// Replaces this process by the server (execve(2)), so that a signal to the process ends the
    /// server; returns only if that fails, with the reason.
    #[must_use]
    pub fn serve(self) -> ServeError {
        let source = Command::new(&self.program)
            .args(["--port", "0", "--unixsocketperm", "700"])
            .arg("--unixsocket")
            .arg(&self.socket)
            .arg("--dir")
            .arg(&self.folder)
            .args(["--appendonly", "yes", "--appendfsync", "everysec"])
            .args(["--save", "", "--daemonize", "no", "--loglevel", "warning"])
            .exec();
        ServeError::Execute {
            program: self.program,
            source,
        }
    }
}

/// Lets the system kill this process when its parent ends (prctl(2), `PR_SET_PDEATHSIG`).
///
/// # Errors
/// If `parent` is not this process's parent any more.
pub(super) fn die_with(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let pid = i32::try_from(parent).ok().and_then(Pid::from_raw);
    if pid.is_none() || getppid() != pid {
        return Err(io::Error::other(
            "the process that started this one has ended",
        ));
    }
    Ok(())
}

/// Creates the folder if it is missing, and returns its absolute path.
fn prepare(folder: &Path) -> Result<PathBuf, ServeError> {
    let refused = |source: io::Error| ServeError::Folder {
        path: folder.to_owned(),
        source,
    };
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(|error| {
            refused(match error.kind() {
                io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
                _ => error,
            })
        })?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(folder).map_err(refused)?;
            if found.is_symlink() {
                return Err(refused(io::Error::other("it is a link")));
            }
            if !found.is_dir() {
                return Err(refused(io::Error::other("it is a file, not a folder")));
            }
            if found.uid() != getuid().as_raw() {
                return Err(refused(io::Error::other("it belongs to another user")));
            }
            if found.mode() & 0o077 != 0 {
                return Err(refused(io::Error::other("other users can enter it")));
            }
        }
        Err(error) => return Err(refused(error)),
    }
    fs::canonicalize(folder).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_this_users_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        let made = prepare(&folder).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o700);
        assert_eq!(prepare(&folder).unwrap(), made);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(
            prepare(&folder)
                .unwrap_err()
                .to_string()
                .contains("other users can enter it")
        );
    }

    #[test]
    fn a_process_whose_parent_is_gone_does_not_stay() {
        assert!(die_with(1_999_999_999).is_err());
    }
}
