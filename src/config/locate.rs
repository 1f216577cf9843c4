//! Paths: where `sites.toml` is searched, and the folder of the program's state.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::diagnostics::shown_path;

const FILE: &str = "sites.toml";
const FOLDER: &str = "uptime-squirrel";

/// The environment that decides the paths; a parameter, so that tests can have their own. Folders follow the XDG Base Directory Specification 0.8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The working directory; empty for the process's own.
    pub working_directory: PathBuf,
    /// `$SQUIRREL_CONFIG`.
    pub squirrel_config: Option<PathBuf>,
    /// The value of `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `$XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// The environment that the given variables describe; empty ones count as unset.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        // The specification has relative paths ignored.
        let absolute = |name| path(name).filter(|path| path.is_absolute());
        Self {
            working_directory: PathBuf::new(),
            squirrel_config: path("SQUIRREL_CONFIG"),
            home: absolute("HOME"),
            config_home: absolute("XDG_CONFIG_HOME"),
            state_home: absolute("XDG_STATE_HOME"),
        }
    }

    /// The configuration to use: `explicit`; else `sites.toml` in the working directory; else
    /// `$SQUIRREL_CONFIG`; else the one in the user's configuration directory. What was asked
    /// for by name is returned even if it is missing: reading it says so.
    ///
    /// # Errors
    /// [`ConfigNotFound`]: no path was given and none of the searched files exists.
    pub fn find(&self, explicit: Option<&Path>) -> Result<PathBuf, ConfigNotFound> {
        if let Some(path) = explicit {
            return Ok(path.to_owned());
        }
        let here = self.working_directory.join(FILE);
        if here.exists() {
            return Ok(here);
        }
        if let Some(path) = &self.squirrel_config {
            return Ok(path.clone());
        }
        let user = self.user_config();
        match user {
            Some(path) if path.exists() => Ok(path),
            user => Err(ConfigNotFound { user }),
        }
    }

    /// The configuration in the user's configuration directory, there or not.
    fn user_config(&self) -> Option<PathBuf> {
        let base = self.config_home.clone();
        let base = base.or_else(|| Some(self.home.as_ref()?.join(".config")))?;
        Some(base.join(FOLDER).join(FILE))
    }

    /// The folder of history and logs, which need not exist; `None` where neither `$HOME` nor
    /// `$XDG_STATE_HOME` is an absolute path.
    #[must_use]
    pub fn state_dir(&self) -> Option<PathBuf> {
        let base = self.state_home.clone();
        let base = base.or_else(|| Some(self.home.as_ref()?.join(".local/state")))?;
        Some(base.join(FOLDER))
    }
}

/// [`Environment::find`] for this process.
///
/// # Errors
/// As [`Environment::find`].
pub fn find(explicit: Option<&Path>) -> Result<PathBuf, ConfigNotFound> {
    Environment::of_process().find(explicit)
}

/// [`Environment::state_dir`] for this process.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    Environment::of_process().state_dir()
}

/// No configuration was given or found; displays what was searched and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigNotFound {
    user: Option<PathBuf>,
}

impl fmt::Display for ConfigNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no sites.toml found: there is none in the working directory, SQUIRREL_CONFIG is not set"
        )?;
        if let Some(user) = &self.user {
            write!(f, ", and there is no {}", shown_path(user))?;
        }
        f.write_str(
            "\nname one with --config FILE, or write one that begins with\n\
             \n    [[sites]]\n    url = \"https://example.org\"\n\
             \nor see everything without one: squirrel demo",
        )
    }
}

impl std::error::Error for ConfigNotFound {}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(root: &Path) -> Environment {
        Environment {
            working_directory: root.join("here"),
            home: Some(root.join("home")),
            ..Environment::default()
        }
    }

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn the_nearest_configuration_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mut around = surroundings(root);
        let text = around.find(None).unwrap_err().to_string();
        assert!(
            text.contains("home/.config/uptime-squirrel/sites.toml"),
            "{text}"
        );
        assert!(
            text.contains("--config") && text.contains("squirrel demo"),
            "{text}"
        );

        let in_home = root.join("home/.config/uptime-squirrel/sites.toml");
        touch(&in_home);
        assert_eq!(around.find(None).unwrap(), in_home);

        around.config_home = Some(root.join("xdg"));
        assert!(around.find(None).is_err());
        let in_xdg = root.join("xdg/uptime-squirrel/sites.toml");
        touch(&in_xdg);
        assert_eq!(around.find(None).unwrap(), in_xdg);

        around.squirrel_config = Some(root.join("missing.toml"));
        assert_eq!(around.find(None).unwrap(), root.join("missing.toml"));

        let here = root.join("here/sites.toml");
        touch(&here);
        assert_eq!(around.find(None).unwrap(), here);
        assert_eq!(around.find(Some(Path::new("x"))).unwrap(), Path::new("x"));
    }

    #[test]
    fn empty_and_relative_variables_do_not_count() {
        let around = Environment::from_variables(|name| match name {
            "HOME" => Some("/home/ann".into()),
            "XDG_STATE_HOME" => Some("relative".into()),
            "SQUIRREL_CONFIG" => Some("".into()),
            _ => None,
        });
        assert_eq!(around.squirrel_config, None);
        assert_eq!(
            around.state_dir().unwrap(),
            Path::new("/home/ann/.local/state/uptime-squirrel")
        );
        let around =
            Environment::from_variables(|name| (name == "XDG_STATE_HOME").then(|| "/state".into()));
        assert_eq!(
            around.state_dir().unwrap(),
            Path::new("/state/uptime-squirrel")
        );
        assert_eq!(Environment::default().state_dir(), None);
    }
}
