//! This program's own executable, to be started as a worker, or as the server of the demo sites.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The executable, even if its file has been replaced since the start.
const SELF: &str = "/proc/self/exe";

/// A command that runs this program once more. Where `/proc` is not mounted it is the file by
/// whose path the program was started, which the system tells every program (getauxval(3),
/// `AT_EXECFN`).
///
/// # Errors
/// Neither is there.
pub fn own_program() -> io::Result<Command> {
    let mut command = Command::new(path()?);
    command.arg0("squirrel");
    Ok(command)
}

fn path() -> io::Result<PathBuf> {
    if Path::new(SELF).exists() {
        return Ok(PathBuf::from(SELF));
    }
    let started = OsStr::from_bytes(rustix::param::linux_execfn().to_bytes());
    let path = std::path::absolute(started)?;
    if path.exists() {
        return Ok(path);
    }
    Err(io::Error::other(format!(
        "neither /proc nor {} is there to start another squirrel from",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_start_leads_to_the_same_file() {
        let started = OsStr::from_bytes(rustix::param::linux_execfn().to_bytes());
        let started = std::fs::canonicalize(started).unwrap();
        assert_eq!(started, std::fs::canonicalize(path().unwrap()).unwrap());
    }
}
