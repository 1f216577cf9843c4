//! Where the socket of a monitor is: named after its history file, in the runtime directory.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

/// The folder of this program's sockets in the runtime directory.
const FOLDER: &str = "uptime-squirrel";

/// The runtime directory of the unit.
const OF_UNIT: &str = "/run/uptime-squirrel";

/// The bytes of the digest that name a socket.
const NAME_BYTES: usize = 6;

/// Where a monitor's socket is looked for, or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketPath {
    /// In the order in which they are tried; the first is where a monitor makes it.
    candidates: Vec<PathBuf>,
    /// Whether a group may connect as well: in the directory that a unit made for it.
    pub(super) shared: bool,
}

impl SocketPath {
    /// The socket at exactly this path.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self {
            candidates: vec![path],
            shared: false,
        }
    }

    /// The socket of the monitor that keeps its history in `history`, `None` without one.
    /// `variable` gives the environment, `state` is the state directory.
    #[must_use]
    pub fn of_history(
        history: Option<&Path>,
        state: Option<&Path>,
        variable: impl Fn(&str) -> Option<PathBuf>,
    ) -> Self {
        let name = format!("{}.sock", name(history));
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        // A unit may have several, with a colon between them.
        let of_unit = absolute("RUNTIME_DIRECTORY").map(|path| {
            let text = path.to_string_lossy();
            PathBuf::from(text.split(':').next().unwrap_or_default())
        });
        let shared = of_unit.is_some();
        let of_user = absolute("XDG_RUNTIME_DIR").map(|folder| folder.join(FOLDER));
        let folders = of_unit
            .into_iter()
            .chain(of_user)
            .chain(state.map(Path::to_owned));
        let mut candidates: Vec<_> = folders.map(|folder| folder.join(&name)).collect();
        candidates.push(Path::new(OF_UNIT).join(&name));
        Self { candidates, shared }
    }

    /// Where a monitor makes it.
    #[must_use]
    pub fn own(&self) -> &Path {
        &self.candidates[0]
    }

    /// Where it may be, in the order in which a client tries. `is_default` says that no history
    /// was named: a unit's monitor, whose history a user does not know, is found then as well.
    #[must_use]
    pub fn tried(&self, is_default: bool) -> Vec<PathBuf> {
        let mut tried = self.candidates.clone();
        if is_default && self.candidates.len() > 1 {
            let found = std::fs::read_dir(OF_UNIT).into_iter().flatten().flatten();
            let sockets = found.map(|entry| entry.path());
            let sockets = sockets.filter(|path| path.extension().is_some_and(|end| end == "sock"));
            let sockets: Vec<_> = sockets.collect();
            if let [only] = &sockets[..]
                && !tried.contains(only)
            {
                tried.push(only.clone());
            }
        }
        tried
    }
}

/// The first 12 hexadecimal digits of the SHA-256 of the file's canonical path.
fn name(history: Option<&Path>) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(path) = history else {
        return "none".to_owned();
    };
    let digest = digest(&SHA256, canonical(path).as_os_str().as_bytes());
    let bytes = &digest.as_ref()[..NAME_BYTES];
    bytes.iter().fold(String::new(), |mut name, byte| {
        // Writing into a text cannot fail.
        let _written = write!(name, "{byte:02x}");
        name
    })
}

/// The canonical path, of a file that may not exist yet.
fn canonical(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (Some(folder), Some(file)) = (absolute.parent(), absolute.file_name()) else {
        return absolute;
    };
    folder
        .canonicalize()
        .map_or_else(|_| absolute.clone(), |folder| folder.join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(variables: &[(&str, &str)], history: Option<&str>) -> SocketPath {
        SocketPath::of_history(
            history.map(Path::new),
            Some(Path::new("/state/us")),
            |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| PathBuf::from(value))
            },
        )
    }

    #[test]
    fn a_socket_lies_in_the_runtime_directory_of_the_unit_the_user_or_the_state() {
        let user = ("XDG_RUNTIME_DIR", "/run/user/1");
        let own = |path: SocketPath| path.own().display().to_string();
        assert_eq!(
            own(path(&[user], None)),
            "/run/user/1/uptime-squirrel/none.sock"
        );
        let unit = ("RUNTIME_DIRECTORY", "/run/uptime-squirrel:/run/other");
        let shared = path(&[user, unit], None);
        assert!(shared.shared && !path(&[user], None).shared);
        assert_eq!(own(shared), "/run/uptime-squirrel/none.sock");
        assert_eq!(
            own(path(&[("XDG_RUNTIME_DIR", "relative")], None)),
            "/state/us/none.sock"
        );
    }

    #[test]
    fn a_socket_is_named_after_the_history() {
        // printf %s /no/such/history.db | sha256sum
        let path = path(&[], Some("/no/such/history.db"));
        let name = path.own().file_stem().unwrap().to_str().unwrap();
        assert_eq!(name, "8bc5e5772543");
        let others = path.tried(false);
        assert_eq!(others.len(), 2);
        assert_eq!(
            others[1],
            Path::new("/run/uptime-squirrel/8bc5e5772543.sock")
        );
    }
}
