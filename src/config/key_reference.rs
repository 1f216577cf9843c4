//! A key and a table of the reference of `sites.toml`, and how their values are written.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::exact_duration;

/// One key of `sites.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    /// The key as it is written; capitals stand for a name of the user's choice.
    pub key: Cow<'static, str>,
    /// The kind of its value: "duration", "number", "list of URLs".
    pub kind: &'static str,
    /// The unit and the range of its value; empty where neither applies.
    pub range: &'static str,
    /// The value in the notation of TOML, or a phrase where it depends on something else;
    /// `None` where the key has none.
    pub default: Option<String>,
    /// The meaning in one line.
    pub meaning: &'static str,
}

/// One table of `sites.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableReference {
    /// The header as it is written, such as `[notify.email]`; capitals stand for a name of the
    /// user's choice.
    pub header: &'static str,
    /// The source files that hold the defaults.
    pub sources: &'static [&'static str],
    /// The keys, the most used ones first.
    pub keys: Vec<KeyReference>,
}

impl TableReference {
    /// The table with more keys behind the others.
    pub(super) fn with(mut self, more: Vec<KeyReference>) -> Self {
        self.keys.extend(more);
        self
    }
}

/// A key.
pub(super) fn key(
    key: &'static str,
    kind: &'static str,
    range: &'static str,
    default: impl Into<Option<String>>,
    meaning: &'static str,
) -> KeyReference {
    KeyReference {
        key: key.into(),
        kind,
        range,
        default: default.into(),
        meaning,
    }
}

/// A duration as the file has it.
pub(super) fn duration(duration: Duration) -> String {
    text(&exact_duration(duration))
}

/// A text as the file has it.
pub(super) fn text(text: &str) -> String {
    format!("`\"{text}\"`")
}

/// A number or a flag as the file has it.
pub(super) fn plain(value: impl std::fmt::Display) -> String {
    format!("`{value}`")
}

/// A phrase that stands in the place of a value.
pub(super) fn phrase(phrase: &str) -> String {
    phrase.to_owned()
}
