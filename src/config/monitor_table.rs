//! `[monitor]` and `[workers]`: their settings, defaults and reading.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::domain::CertificateFile;

use super::files::{self, SourceFile};
use super::include_table::{self, IncludedLists};
use super::known_names::KnownNames;
use super::monitor_settings::MonitorSettings;
use super::notify_table::SecretReader;
use super::settings_layer::SettingsLayer;
use super::switch_policy::SwitchPolicy;
use super::table_reader::TableReader;
use super::table_values::Element;
use super::value_parsers::{self, Parsed, ValueError};

/// The range of `workers`: the most that a machine with a raised limit of open files can hold.
const WORKERS: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// The largest file of certificates that is read.
const MOST_CERTIFICATE_BYTES: u64 = 4 << 20;

/// Reads `[monitor]`; also returns the elements of `include` with their places in the file.
pub(super) fn read_monitor(
    mut table: TableReader<'_>,
    secrets: SecretReader<'_>,
    known: &KnownNames<'_>,
    owners: &HashSet<&str>,
) -> (MonitorSettings, Vec<Element<IncludedLists>>) {
    let files = secrets.files;
    let default = MonitorSettings::default();
    let include = table.texts_or_tables("include", include_table::pattern, |table| {
        include_table::read_table(table, owners)
    });
    // An empty list is a choice; a missing one is not.
    let has_canaries = table.has("canaries");
    let canaries = table.texts("canaries", value_parsers::http_url).into_iter();
    let canaries = canaries.map(|element| element.value).collect();
    let layer = SettingsLayer::read(&mut table, owners, secrets);
    let mut settings = MonitorSettings {
        paradigm: table.text("paradigm", |word| {
            if known.paradigms.contains(&word) {
                return Ok(word.into());
            }
            Err(value_parsers::none_of(word, known.paradigms))
        }),
        switch: table
            .text("switch", SwitchPolicy::parse)
            .unwrap_or(default.switch),
        workers: table.number("workers", WORKERS).map(count),
        ca_file: table.text("ca_file", |name| {
            let path = files.folder.join(&*value_parsers::some(name)?);
            let (file, source) = read_certificates(&path)?;
            files.sources.borrow_mut().push(source);
            Ok(file)
        }),
        canaries: if has_canaries {
            canaries
        } else {
            default.canaries
        },
        include: include
            .iter()
            .map(|element| element.value.clone())
            .collect(),
        ..default
    };
    layer.apply(&mut settings);
    table.finish();
    (settings, include)
}

/// Reads a file of certificates.
fn read_certificates(path: &Path) -> Parsed<(CertificateFile, SourceFile)> {
    let wrong = |why: String| {
        let file = value_parsers::quoted(&path.to_string_lossy());
        ValueError::Plain(format!("the file {file} {why}"))
    };
    let (pem, metadata) = files::regular(path, MOST_CERTIFICATE_BYTES)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| wrong("is not valid PEM".to_owned()))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(format!("holds a certificate that cannot be used: {error}")))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate in PEM".to_owned()));
    }
    let source = SourceFile::new(path, &pem, &metadata).named();
    let file = CertificateFile {
        path: path.to_owned(),
        pem: pem.into(),
    };
    Ok((file, source))
}

/// Reads `[workers]`: the most checks in flight at once, by name of paradigm.
pub(super) fn read_workers(
    table: TableReader<'_>,
    known: &KnownNames<'_>,
) -> BTreeMap<Box<str>, usize> {
    let mut workers = BTreeMap::new();
    table.numbers(known.paradigms, &WORKERS, |paradigm, number| {
        workers.insert(paradigm.into(), count(number));
    });
    workers
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
