//! Changes of sites that are made on the screen and written into `sites.toml`.

use std::sync::Arc;

use super::{Site, exact_duration};

/// A key of a site that the form on the screen edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteField {
    /// The URL of the first request.
    Url,
    /// The name of the site.
    Name,
    /// The time between regular checks.
    Interval,
    /// The longest that a check may take.
    Timeout,
    /// The time above which a check is degraded.
    Slow,
    /// The number of failures that confirm an outage.
    Confirm,
    /// The method of its requests.
    Method,
    /// The status codes that count as up.
    ExpectStatus,
    /// Texts that the body must hold.
    Contains,
    /// The owners who are told of it.
    Owners,
    /// The tags.
    Tags,
}

impl SiteField {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 11] = [
        Self::Url,
        Self::Name,
        Self::Interval,
        Self::Timeout,
        Self::Slow,
        Self::Confirm,
        Self::Method,
        Self::ExpectStatus,
        Self::Contains,
        Self::Owners,
        Self::Tags,
    ];

    /// The key in `[[sites]]`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Name => "name",
            Self::Interval => "interval",
            Self::Timeout => "timeout",
            Self::Slow => "slow",
            Self::Confirm => "confirm",
            Self::Method => "method",
            Self::ExpectStatus => "expect_status",
            Self::Contains => "contains",
            Self::Owners => "owners",
            Self::Tags => "tags",
        }
    }

    /// The value that a site has, as it is typed; the password of a URL shows as `***`.
    #[must_use]
    pub fn value_of(self, site: &Site) -> String {
        let spec = &site.spec;
        match self {
            Self::Url => spec.url.shown().to_owned(),
            Self::Name => site.name.to_string(),
            Self::Interval => exact_duration(site.interval),
            Self::Timeout => exact_duration(spec.timeout),
            Self::Slow => exact_duration(spec.slow),
            Self::Confirm => site.confirm.to_string(),
            Self::Method => spec.method.word().to_owned(),
            Self::ExpectStatus => spec.expect_status.to_string(),
            Self::Contains => match (&spec.contains, &*spec.options().assertions.contains) {
                (Some(text), _) => text.to_string(),
                (None, []) => String::new(),
                (None, texts) => quoted_list(texts),
            },
            Self::Owners => site.owners.join(", "),
            Self::Tags => site.tags.join(", "),
        }
    }
}

/// Texts as a list of TOML.
fn quoted_list(texts: &[Box<str>]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

/// The keys of a site with their values as they were typed; an empty value removes the key, so
/// that the default holds.
pub type SiteValues = Vec<(SiteField, String)>;

/// A mistake in a value that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMistake {
    /// The key with the mistake; `None` where it is in several together.
    pub key: Option<SiteField>,
    /// The mistake in one sentence.
    pub sentence: String,
}

/// A change of sites in `sites.toml`. Sites that are not in the file itself but in a list that it
/// includes get a table there, where that is possible.
#[derive(Clone, Debug, PartialEq)]
pub enum SiteEdit {
    /// Adds a site with these values.
    Add(SiteValues),
    /// Sets these values of a site.
    Change(Arc<Site>, SiteValues),
    /// Removes sites.
    Delete(Vec<Arc<Site>>),
    /// Pauses sites (`true`), or resumes them.
    Pause(Vec<Arc<Site>>, bool),
    /// Adds tags to sites and removes others.
    Tag {
        /// The sites that change.
        sites: Vec<Arc<Site>>,
        /// The tags that they get.
        add: Vec<Box<str>>,
        /// The tags that they lose.
        remove: Vec<Box<str>>,
    },
}

impl SiteEdit {
    /// The sites that it changes or removes.
    #[must_use]
    pub fn sites(&self) -> &[Arc<Site>] {
        match self {
            Self::Add(_) => &[],
            Self::Change(site, _) => std::slice::from_ref(site),
            Self::Delete(sites) | Self::Pause(sites, _) | Self::Tag { sites, .. } => sites,
        }
    }
}
