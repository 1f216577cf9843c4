//! The entry of a format in the table.

use super::imported_site::{ImportError, ImportedConfig};

/// A format that can be read.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What its files are, for the help.
    pub about: &'static str,
    /// Reads the texts of its files, in their order.
    pub(super) read: fn(&[&str]) -> Result<ImportedConfig, ImportError>,
}
