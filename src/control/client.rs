//! Asks the running monitor.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::plain_io_error;

use super::actor::Actor;
use super::message::{ControlReply, Envelope, MOST_REPLY, MonitorCommand, PROTOCOL};

/// The longest wait for the monitor to take a request, and for its reply.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why the monitor could not be asked.
#[derive(Debug)]
pub enum ControlError {
    /// No monitor takes commands at any of these places.
    NoMonitor(Vec<PathBuf>),
    /// The monitor there is another user's.
    Forbidden(PathBuf),
    /// The connection broke, or the monitor is silent.
    Broken(PathBuf, io::Error),
    /// The reply is none of this program.
    Garbled(PathBuf),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMonitor(tried) => {
                let tried: Vec<_> = tried
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                write!(
                    f,
                    "no monitor runs: nobody takes commands at {}",
                    tried.join(" or ")
                )
            }
            Self::Forbidden(path) => {
                write!(f, "{}: the monitor belongs to another user", path.display())
            }
            Self::Broken(path, error) => {
                write!(f, "{}: the monitor did not answer: ", path.display())?;
                f.write_str(&plain_io_error(error))
            }
            Self::Garbled(path) => {
                write!(f, "{}: what answers there is no monitor", path.display())
            }
        }
    }
}

impl std::error::Error for ControlError {}

impl ControlError {
    /// Whether there is no monitor, as opposed to one that cannot be asked.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::NoMonitor(_))
    }
}

/// Asks the monitor at the first of `places` where one is.
///
/// # Errors
/// If none is, or it does not answer.
pub fn ask(places: &[PathBuf], command: &MonitorCommand) -> Result<ControlReply, ControlError> {
    for path in places {
        match UnixStream::connect(path) {
            Ok(stream) => return talk(path, stream, command),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.exists() => {
                return Err(ControlError::Forbidden(path.clone()));
            }
            Err(_) => {}
        }
    }
    Err(ControlError::NoMonitor(places.to_vec()))
}

fn talk(
    path: &Path,
    mut stream: UnixStream,
    command: &MonitorCommand,
) -> Result<ControlReply, ControlError> {
    let broken = |error| ControlError::Broken(path.to_owned(), error);
    stream.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(broken)?;
    let envelope = Envelope {
        protocol: PROTOCOL,
        actor: Actor::of_process(),
        // Serializing texts and numbers cannot fail.
        command: serde_json::to_value(command).unwrap_or_default(),
    };
    let mut line = serde_json::to_vec(&envelope).unwrap_or_default();
    line.push(b'\n');
    // A monitor that refuses at once need not read: its reply says why.
    let written = stream.write_all(&line);
    let mut reply = Vec::new();
    let read = stream.take(MOST_REPLY).read_to_end(&mut reply);
    match serde_json::from_slice(&reply) {
        Ok(reply) => Ok(reply),
        Err(_) => {
            written.map_err(broken)?;
            read.map_err(broken)?;
            Err(ControlError::Garbled(path.to_owned()))
        }
    }
}
