//! Secrets: where each is kept, and reading it there.

use std::fmt;
use std::path::PathBuf;

use super::files::{self, SourceFile};

/// The largest file that is read as a secret.
const MOST_BYTES: u64 = 64 << 10;

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

/// Whether the secrets of a configuration have to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUse {
    /// Owners are told: a secret that cannot be read is a mistake of the configuration.
    Needed,
    /// Checks are run, and nobody is told: the secrets of requests have to be there.
    Checks,
    /// Nothing is sent: secrets are not read.
    Unused,
}

/// Why a secret is not available. Displays its place and nothing of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// The variable is not set.
    Unset(Box<str>),
    /// The variable or the file is not UTF-8 text.
    NotText(SecretPlace),
    /// The file cannot be read, is not a regular file or is larger than 64 KiB: why, in plain
    /// words.
    Unreadable(PathBuf, Box<str>),
    /// The variable or the file holds nothing but white space.
    Empty(SecretPlace),
}

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// The environment variable of this name.
    Variable(Box<str>),
    /// A file.
    File(PathBuf),
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => {
                // Anything else may be the secret itself, written in the wrong place.
                let usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
                if name.chars().all(usual) {
                    write!(f, "the environment variable {name}")
                } else {
                    f.write_str("the environment variable of this name")
                }
            }
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

impl SecretError {
    /// The sentence without the path of the file: for a message that names the line which
    /// holds it, where a secret may have been written in the place of a path.
    pub(super) fn without_path(&self) -> String {
        match self {
            Self::Unreadable(_, why) => format!("the file cannot be read: {why}"),
            Self::NotText(SecretPlace::File(_)) => "the file is not UTF-8 text".to_owned(),
            Self::Empty(SecretPlace::File(_)) => "the file is empty".to_owned(),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(name) => {
                write!(f, "{} is not set", SecretPlace::Variable(name.clone()))
            }
            Self::NotText(place) => write!(f, "{place} is not UTF-8 text"),
            Self::Unreadable(path, why) => {
                let place = SecretPlace::File(path.clone());
                write!(f, "{place} with a secret cannot be read: {why}")
            }
            Self::Empty(place) => write!(f, "{place} is empty"),
        }
    }
}

impl std::error::Error for SecretError {}

impl Secret {
    /// Reads the value, without white space at its end. Never waits: a file must be a regular
    /// one, of at most 64 KiB.
    ///
    /// # Errors
    /// [`SecretError`]: the variable or file is missing, unreadable, not text or empty.
    pub fn read(&self) -> Result<Box<str>, SecretError> {
        self.read_with_source().map(|(secret, _)| secret)
    }

    /// As [`Secret::read`], with the file that it came from.
    pub(super) fn read_with_source(&self) -> Result<(Box<str>, Option<SourceFile>), SecretError> {
        let mut source = None;
        let (text, place) = match self {
            Self::Plain(text) => return Ok((text.clone(), None)),
            Self::Env(name) => {
                let value = std::env::var_os(&**name);
                let value = value.ok_or_else(|| SecretError::Unset(name.clone()))?;
                let place = SecretPlace::Variable(name.clone());
                (value.into_string().ok(), place)
            }
            Self::File(path) => {
                let (bytes, metadata) = files::regular(path, MOST_BYTES).map_err(|error| {
                    SecretError::Unreadable(path.clone(), error.to_string().into())
                })?;
                source = Some(SourceFile::new(path, &bytes, &metadata).named());
                let place = SecretPlace::File(path.clone());
                (String::from_utf8(bytes).ok(), place)
            }
        };
        match text.as_deref().map(str::trim_end) {
            None => Err(SecretError::NotText(place)),
            Some("") => Err(SecretError::Empty(place)),
            Some(secret) => Ok((secret.into(), source)),
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
        assert_eq!(&*Secret::File(path.clone()).read().unwrap(), "hunter2");
        std::fs::write(&path, b"\xff").unwrap();
        let place = SecretPlace::File(path.clone());
        assert_eq!(Secret::File(path).read(), Err(SecretError::NotText(place)));
        let unset = Secret::Env("SQUIRREL_NO_SUCH".into()).read().unwrap_err();
        let sentence = "the environment variable SQUIRREL_NO_SUCH is not set";
        assert_eq!(unset.to_string(), sentence);
    }

    #[test]
    fn a_secret_that_stands_in_the_place_of_a_name_is_not_shown() {
        for secret in [
            Secret::Env("hunter2".into()),
            Secret::File("hunter2".into()),
        ] {
            let sentence = secret.read().unwrap_err().without_path();
            assert!(!sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[test]
    fn what_is_no_regular_file_or_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        let large = folder.path().join("large");
        std::fs::write(&large, "x".repeat(70_000)).unwrap();
        for (path, why) in [
            (pipe, "it is not a regular file"),
            ("/dev/zero".into(), "it is not a regular file"),
            (folder.path().to_owned(), "it is a folder"),
            (large, "it is larger than 64 KiB"),
        ] {
            let error = Secret::File(path.clone()).read().unwrap_err();
            assert_eq!(error, SecretError::Unreadable(path, why.into()));
        }
    }
}
