//! A file of certificates, with its contents at the time when it was read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::text::plural;

/// Certificates in PEM that are trusted besides the system's roots. Equal where path and
/// contents are; clones share the contents.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The contents: at least one certificate in PEM.
    pub pem: Arc<[u8]>,
}

impl fmt::Debug for CertificateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = plural(self.pem.len(), "byte");
        write!(f, "CertificateFile({}, {size})", self.path.display())
    }
}
