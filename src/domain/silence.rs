//! Why owners are not told of a site at present.

use super::Timestamp;

/// Why owners are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Outages are expected until then.
    Maintenance(Timestamp),
    /// This site, which it depends on, is down or fails.
    Parent(Box<str>),
    /// This site, which it depends on, is being checked.
    ParentUnchecked(Box<str>),
}
