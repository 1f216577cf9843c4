//! The files of certificates that a broker's URL names, read and checked before they are used.

use std::io;
use std::path::Path;

use redis::{ClientTlsConfig, TlsCertificates};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::domain::{BrokerTls, FileError};

/// The certificates of `tls`, from their files.
///
/// # Errors
/// If a file cannot be read, holds no certificate or key in PEM form (RFC 7468), or one that cannot
/// be used, or the key is not that of the certificate.
pub(super) fn certificates(tls: &BrokerTls) -> Result<TlsCertificates, FileError> {
    let client_tls = match &tls.client {
        None => None,
        Some((certificate, key)) => Some(client(certificate, key)?),
    };
    let root_cert = match &tls.trusted {
        None => None,
        Some(path) => Some(trusted(path)?),
    };
    Ok(TlsCertificates {
        client_tls,
        root_cert,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(|error| FileError::read(path, error))
}

fn wrong(path: &Path, why: &'static str) -> FileError {
    FileError::read(path, io::Error::other(why))
}

/// The certificates in a file; at least one.
fn chain(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(wrong(path, "it holds no certificate in PEM form")),
    }
}

fn trusted(path: &Path) -> Result<Vec<u8>, FileError> {
    let text = read(path)?;
    let mut store = rustls::RootCertStore::empty();
    for certificate in chain(path, &text)? {
        let added = store.add(certificate);
        added.map_err(|_| wrong(path, "a certificate in it cannot be used"))?;
    }
    Ok(text)
}

fn client(certificate: &Path, key: &Path) -> Result<ClientTlsConfig, FileError> {
    let client_cert = read(certificate)?;
    let found = chain(certificate, &client_cert)?;
    let client_key = read(key)?;
    let private = PrivateKeyDer::from_pem_slice(&client_key)
        .map_err(|_| wrong(key, "it holds no private key in PEM form"))?;
    let provider = rustls::crypto::ring::default_provider();
    match rustls::sign::CertifiedKey::from_der(found, private, &provider) {
        Ok(_) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(wrong(key, "it is not the key of the certificate"));
        }
        Err(rustls::Error::InvalidCertificate(_)) => {
            return Err(wrong(certificate, "a certificate in it cannot be used"));
        }
        Err(_) => return Err(wrong(key, "a key of its kind cannot be used")),
    }
    Ok(ClientTlsConfig {
        client_cert,
        client_key,
    })
}
