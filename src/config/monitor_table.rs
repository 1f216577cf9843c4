//! `[monitor]` and `[workers]`: their settings, defaults and reading.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::domain::{CertificateFile, CheckSpec, MaskedUrl, MethodChoice, USER_AGENT};

use super::files::{self, NamedFiles, SourceFile};
use super::include_table::{self, IncludedLists};
use super::known_names::KnownNames;
use super::owners_table::read_owner_names;
use super::table_reader::TableReader;
use super::table_values::Element;
use super::value_parsers::{self, Parsed, ValueError};

/// The canaries where none are configured: hosts of three independent operators that nearly
/// always answer.
const CANARIES: [&str; 3] = [
    "https://www.google.com/",
    "https://one.one.one.one/",
    "https://www.wikipedia.org/",
];

/// The effect of a digit key on a running monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwitchPolicy {
    /// Switches to the paradigm of that digit.
    #[default]
    Free,
    /// Asks first where that paradigm cannot check all sites at their intervals.
    Ask,
    /// No paradigm can be chosen by a digit.
    Off,
}

impl SwitchPolicy {
    /// The words of `switch`.
    const WORDS: [&str; 3] = ["free", "ask", "off"];

    fn parse(word: &str) -> Parsed<Self> {
        match word {
            "free" => Ok(Self::Free),
            "ask" => Ok(Self::Ask),
            "off" => Ok(Self::Off),
            _ => Err(value_parsers::none_of(word, &Self::WORDS)),
        }
    }
}

/// `[monitor]`: how checks are run, and the values of every site that has none of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorSettings {
    /// The name of the paradigm to start with; `None` for the program's default.
    pub paradigm: Option<Box<str>>,
    /// The effect of a digit key.
    pub switch: SwitchPolicy,
    /// The most checks in flight at once in the paradigm in use, 1 to 1,000,000; `None` for
    /// the paradigm's default.
    pub workers: Option<usize>,
    /// The time between two checks of a site; at least one second.
    pub interval: Duration,
    /// The most time that one check may take, redirects included; at least a millisecond.
    pub timeout: Duration,
    /// A check that takes longer makes the site degraded; at least a millisecond.
    pub slow: Duration,
    /// Failures in a row that make a site down, 1 to 1,000.
    pub confirm: u32,
    /// The time from a failure to the next check of that site.
    pub confirm_delay: Duration,
    /// Successes in a row that end an outage, 1 to 1,000.
    pub recover: u32,
    /// A certificate with less validity left makes the site degraded.
    pub cert_warn: Duration,
    /// The User-Agent header of every request; printable ASCII.
    pub user_agent: Arc<str>,
    /// The method that sites are asked by.
    pub method: MethodChoice,
    /// The number of redirects that are followed, 0 to 100.
    pub max_redirects: u16,
    /// Certificates that are trusted besides the system's roots, as they were when the
    /// configuration was read.
    pub ca_file: Option<CertificateFile>,
    /// URLs that are requested before an outage, or many failures at once, are believed.
    /// Empty: every failure is believed at once.
    pub canaries: Vec<MaskedUrl>,
    /// How long a site has to be slow before its owners are told.
    pub slow_after: Duration,
    /// The owners of sites that name none, who are told as well when sites are not checked any
    /// more or cannot be seen.
    pub owners: Arc<[Box<str>]>,
    /// Plain lists of sites.
    pub include: Vec<IncludedLists>,
}

impl Default for MonitorSettings {
    fn default() -> Self {
        Self {
            paradigm: None,
            switch: SwitchPolicy::Free,
            workers: None,
            interval: Duration::from_secs(300),
            timeout: CheckSpec::TIMEOUT,
            slow: CheckSpec::SLOW,
            confirm: 2,
            confirm_delay: Duration::from_secs(10),
            recover: 2,
            cert_warn: CheckSpec::CERT_WARN,
            user_agent: Arc::from(USER_AGENT),
            method: MethodChoice::Auto,
            max_redirects: CheckSpec::MAX_REDIRECTS,
            ca_file: None,
            slow_after: Duration::from_secs(600),
            owners: Arc::default(),
            canaries: CANARIES.map(MaskedUrl::new).to_vec(),
            include: Vec::new(),
        }
    }
}

/// The range of `workers`: the most that a machine with a raised limit of open files can hold.
const WORKERS: std::ops::RangeInclusive<u32> = 1..=1_000_000;

/// The largest file of certificates that is read.
const MOST_CERTIFICATE_BYTES: u64 = 4 << 20;

/// Reads `[monitor]`; also returns the elements of `include` with their places in the file.
pub(super) fn read_monitor(
    mut table: TableReader<'_>,
    files: NamedFiles<'_>,
    known: &KnownNames<'_>,
    owners: &HashSet<&str>,
) -> (MonitorSettings, Vec<Element<IncludedLists>>) {
    let default = MonitorSettings::default();
    let include = table.texts_or_tables("include", include_table::pattern, |table| {
        include_table::read_table(table, owners)
    });
    // An empty list is a choice; a missing one is not.
    let has_canaries = table.has("canaries");
    let canaries = table.texts("canaries", value_parsers::http_url).into_iter();
    let canaries = canaries.map(|element| element.value).collect();
    let settings = MonitorSettings {
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
        interval: table
            .text("interval", value_parsers::interval)
            .unwrap_or(default.interval),
        timeout: table
            .text("timeout", value_parsers::positive_duration)
            .unwrap_or(default.timeout),
        slow: table
            .text("slow", value_parsers::positive_duration)
            .unwrap_or(default.slow),
        confirm: table
            .number("confirm", 1..=1_000)
            .unwrap_or(default.confirm),
        confirm_delay: table
            .text("confirm_delay", value_parsers::duration)
            .unwrap_or(default.confirm_delay),
        recover: table
            .number("recover", 1..=1_000)
            .unwrap_or(default.recover),
        cert_warn: table
            .text("cert_warn", value_parsers::duration)
            .unwrap_or(default.cert_warn),
        slow_after: table
            .text("slow_after", value_parsers::duration)
            .unwrap_or(default.slow_after),
        owners: read_owner_names(&mut table, owners).unwrap_or(default.owners),
        user_agent: table
            .text("user_agent", value_parsers::header_value)
            .unwrap_or(default.user_agent),
        method: table
            .text("method", value_parsers::method)
            .unwrap_or(default.method),
        max_redirects: table
            .number("max_redirects", 0..=100)
            .and_then(|most| u16::try_from(most).ok())
            .unwrap_or(default.max_redirects),
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
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_agent_names_the_program_and_where_to_complain() {
        assert!(USER_AGENT.starts_with("UptimeSquirrel/"));
        assert!(USER_AGENT.contains("(+https://"));
    }
}
