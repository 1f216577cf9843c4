//! The settings of `[monitor]` and their defaults.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{
    CertificateFile, CheckOptions, CheckSpec, MaskedUrl, MethodChoice, USER_AGENT,
};

use super::include_table::IncludedLists;
use super::switch_policy::SwitchPolicy;

/// The canaries where none are configured: hosts of three independent operators that nearly
/// always answer.
const CANARIES: [&str; 3] = [
    "https://www.google.com/",
    "https://one.one.one.one/",
    "https://www.wikipedia.org/",
];

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
    /// What the requests of sites carry that say nothing else: header fields and credentials;
    /// `None` for nothing.
    pub options: Option<Arc<CheckOptions>>,
}

impl MonitorSettings {
    /// The options of sites that have none of their own.
    pub(super) fn options(&self) -> &CheckOptions {
        self.options.as_deref().unwrap_or(CheckOptions::NONE)
    }
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
            options: None,
        }
    }
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
