//! What every format has.

use super::imported_site::{ImportError, ImportedConfig};

/// A format that can be read.
#[derive(Debug)]
pub struct Format {
    /// Its word on the command line.
    pub name: &'static str,
    /// Whose it is, for people.
    pub about: &'static str,
    /// Reads the texts of its files, in their order.
    pub(super) read: fn(&[&str]) -> Result<ImportedConfig, ImportError>,
}
