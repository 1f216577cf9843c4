//! The path of a key in the file, such as `sites[3].interval`, as diagnostics name it.

use std::fmt;

/// The path of a key, built on the way down and written out only for a mistake.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyPath<'a> {
    /// The top level of the file.
    Root,
    /// A key of a table.
    Key(&'a KeyPath<'a>, &'a str),
    /// An element of an array, counted from 0.
    Index(&'a KeyPath<'a>, usize),
}

impl fmt::Display for KeyPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Key(parent, key) => {
                if !matches!(parent, KeyPath::Root) {
                    write!(f, "{parent}.")?;
                }
                let bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                if !key.is_empty() && key.chars().all(bare) {
                    f.write_str(key)
                } else {
                    write!(f, "\"{key}\"")
                }
            }
        }
    }
}
