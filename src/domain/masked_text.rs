//! A text that may be a secret, and what is shown in its place.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that may be a secret. `Debug` and [`MaskedText::shown`] give its mask; only
/// [`MaskedText::expose`] gives the text. Serialises as its full text, with its mask.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MaskedText {
    text: Box<str>,
    /// What is shown in its place, as a shell would expand it: `$TOKEN`, `$(cat token)`, or
    /// `***`; `None` where it is no secret.
    mask: Option<Box<str>>,
}

impl MaskedText {
    /// The mask of a secret that has no name.
    pub const NAMELESS: &'static str = "***";

    /// A text that everybody may see.
    #[must_use]
    pub fn open(text: impl Into<Box<str>>) -> Self {
        Self {
            text: text.into(),
            mask: None,
        }
    }

    /// A secret, shown as `***`.
    #[must_use]
    pub fn secret(text: impl Into<Box<str>>) -> Self {
        Self {
            text: text.into(),
            mask: Some(Self::NAMELESS.into()),
        }
    }

    /// The secret of an environment variable: shown as `$NAME`, where a shell knows such a name.
    #[must_use]
    pub fn of_variable(text: impl Into<Box<str>>, name: &str) -> Self {
        let first = name.bytes().next();
        let is_name = first.is_some_and(|first| !first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        Self::named(text, is_name.then(|| format!("${name}")))
    }

    /// The secret in a file: shown as `$(cat PATH)`, where a shell needs no quotes for the path.
    #[must_use]
    pub fn of_file(text: impl Into<Box<str>>, path: &str) -> Self {
        let is_plain = !path.starts_with('-')
            && path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte));
        Self::named(text, is_plain.then(|| format!("$(cat {path})")))
    }

    fn named(text: impl Into<Box<str>>, mask: Option<String>) -> Self {
        let mask = mask.unwrap_or_else(|| Self::NAMELESS.to_owned());
        Self {
            text: text.into(),
            mask: Some(mask.into()),
        }
    }

    /// The text itself: for requests, never for display.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What may be shown of it.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.mask.as_deref().unwrap_or(&self.text)
    }

    /// Whether it is a secret.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.mask.is_some()
    }
}

impl fmt::Debug for MaskedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_where_it_is_kept_and_nothing_of_itself() {
        for (text, shown) in [
            (MaskedText::open("hunter2"), "hunter2"),
            (MaskedText::secret("hunter2"), "***"),
            (MaskedText::of_variable("hunter2", "API_KEY"), "$API_KEY"),
            (MaskedText::of_variable("hunter2", "1;rm"), "***"),
            (
                MaskedText::of_file("hunter2", "/run/key"),
                "$(cat /run/key)",
            ),
            (MaskedText::of_file("hunter2", "a b"), "***"),
            (MaskedText::of_file("hunter2", "-rf"), "***"),
        ] {
            assert_eq!((text.expose(), text.shown()), ("hunter2", shown));
            assert_eq!(format!("{text:?}"), format!("{shown:?}"));
        }
    }
}
