//! Names that the configuration may use and other rooms define.

use crate::domain::KnownChannel;

/// The names that are valid in `sites.toml` and defined outside of this room.
#[derive(Clone, Copy, Debug)]
pub struct KnownNames<'a> {
    /// The names of all paradigms: values of `monitor.paradigm` and keys of `[workers]`.
    pub paradigms: &'a [&'a str],
    /// The channels, whose names are keys of an owner.
    pub channels: &'a [KnownChannel],
}
