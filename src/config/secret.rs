//! Secrets of `[notify]`: where each is kept, and reading it there.

use std::fmt;
use std::path::PathBuf;

/// A value that must never be shown, or the place where it is kept. `Debug` hides the value.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The name of the environment variable that holds the value.
    Env(Box<str>),
    /// The path of the file that holds the value.
    File(PathBuf),
    /// The value itself, written in `sites.toml`.
    Plain(Box<str>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "Env({name:?})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Plain(_) => f.write_str("Plain(***)"),
        }
    }
}

/// Why a secret is not available. Shows its place and nothing of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// The variable is not set, or the file cannot be read, or either is not UTF-8.
    Unreadable(SecretPlace),
    /// The variable or the file holds nothing but white space.
    Empty(SecretPlace),
}

/// The place of a secret, as an error names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// An environment variable.
    Variable(Box<str>),
    /// The first line of a file.
    File(PathBuf),
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(place) => {
                write!(f, "{place} with a secret of [notify] cannot be read")
            }
            Self::Empty(place) => write!(f, "{place} with a secret of [notify] is empty"),
        }
    }
}

impl std::error::Error for SecretError {}

impl Secret {
    /// Reads the value, without white space at its end.
    ///
    /// # Errors
    /// [`SecretError`]: the variable or file is missing, unreadable or empty.
    pub fn read(&self) -> Result<Box<str>, SecretError> {
        let (text, place) = match self {
            Self::Env(name) => (
                std::env::var(&**name).ok(),
                SecretPlace::Variable(name.clone()),
            ),
            Self::File(path) => (
                std::fs::read_to_string(path).ok(),
                SecretPlace::File(path.clone()),
            ),
            Self::Plain(text) => return Ok(text.clone()),
        };
        match text.as_deref().map(str::trim_end) {
            None => Err(SecretError::Unreadable(place)),
            Some("") => Err(SecretError::Empty(place)),
            Some(secret) => Ok(secret.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        let secret = Some(Secret::Plain("hunter2".into()));
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(format!("{:?}", Secret::Env("NAME".into())).contains("NAME"));
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_or_it_is_said_where_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let missing = Secret::File(path.clone()).read().unwrap_err();
        assert!(missing.to_string().contains("token"), "{missing}");
        std::fs::write(&path, "\n").unwrap();
        let place = SecretPlace::File(path.clone());
        let empty = Secret::File(path.clone()).read();
        assert_eq!(empty, Err(SecretError::Empty(place)));
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(&*Secret::File(path).read().unwrap(), "hunter2");
        assert!(Secret::Env("SQUIRREL_NO_SUCH".into()).read().is_err());
    }
}
