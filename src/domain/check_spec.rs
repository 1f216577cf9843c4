//! What one check asks and what it expects, and the sets of status codes in it.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Assertions, CheckKind, CheckOptions, MaskedUrl, Method};

/// What one check asks and what it expects. Travels to other processes and machines, so it
/// holds no more than the check needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// What is checked: its scheme says how ([`CheckKind`]).
    pub url: MaskedUrl,
    /// The longest that the whole check may take, every attempt and redirect included.
    pub timeout: Duration,
    /// A check that takes longer than this is degraded.
    pub slow: Duration,
    /// A certificate that is valid for less than this is degraded.
    pub cert_warn: Duration,
    /// The status codes that count as up.
    pub expect_status: StatusSet,
    /// A single text that the body must hold.
    pub contains: Option<Box<str>>,
    /// The number of redirects that are followed; one more is a failure.
    pub max_redirects: u16,
    /// The User-Agent header (RFC 9110 section 10.1.5).
    pub user_agent: Arc<str>,
    /// The method of its requests.
    #[serde(default)]
    pub method: MethodChoice,
    /// What few checks ask or expect. It travels beside the spec: who does not know it must
    /// refuse the check, and not pass over it.
    #[serde(skip)]
    pub options: Option<Arc<CheckOptions>>,
}

/// The method that a site is asked by. A check that searches the body asks by GET.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MethodChoice {
    /// HEAD, and GET before a failure is believed.
    #[default]
    Auto,
    /// Every request is a GET.
    Get,
    /// Every request is a HEAD.
    Head,
    /// The first request is a POST.
    Post,
    /// The first request is a PUT.
    Put,
    /// The first request is a PATCH.
    Patch,
    /// The first request is a DELETE.
    Delete,
    /// The first request is an OPTIONS.
    Options,
    /// GET, because this site's HEAD was wrong before. Cannot be asked for in `sites.toml`.
    Remembered,
}

impl MethodChoice {
    /// The words of `method`.
    pub const WORDS: [&str; 8] = [
        "auto", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
    ];

    /// Reads one of [`Self::WORDS`].
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, UnknownMethod> {
        let all = [
            Self::Auto,
            Self::Get,
            Self::Head,
            Self::Post,
            Self::Put,
            Self::Patch,
            Self::Delete,
            Self::Options,
        ];
        let mut all = all.into_iter();
        all.find(|known| known.word() == text).ok_or(UnknownMethod)
    }

    /// The method of a request that is sent once: neither GET nor HEAD.
    #[must_use]
    pub const fn once(self) -> Option<Method> {
        match self {
            Self::Auto | Self::Remembered | Self::Get | Self::Head => None,
            Self::Post => Some(Method::Post),
            Self::Put => Some(Method::Put),
            Self::Patch => Some(Method::Patch),
            Self::Delete => Some(Method::Delete),
            Self::Options => Some(Method::Options),
        }
    }

    /// The value of the key in `sites.toml`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto | Self::Remembered => "auto",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// A word that is none of [`MethodChoice::WORDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMethod;

/// The User-Agent header where none is configured: name, version and address of the program.
pub const USER_AGENT: &str = concat!(
    "UptimeSquirrel/",
    env!("CARGO_PKG_VERSION"),
    " (+",
    env!("CARGO_PKG_REPOSITORY"),
    ")"
);

impl CheckSpec {
    /// The default of [`CheckSpec::timeout`].
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// The default of [`CheckSpec::slow`].
    pub const SLOW: Duration = Duration::from_secs(2);
    /// The default of [`CheckSpec::cert_warn`]: 14 days.
    pub const CERT_WARN: Duration = Duration::from_secs(14 * 86_400);
    /// The default of [`CheckSpec::max_redirects`].
    pub const MAX_REDIRECTS: u16 = 10;

    /// A check of `url` with the defaults of the configuration: [`Self::TIMEOUT`],
    /// [`Self::SLOW`], [`Self::CERT_WARN`], every status below 400, any body,
    /// [`Self::MAX_REDIRECTS`] and [`USER_AGENT`].
    #[must_use]
    pub fn new(url: MaskedUrl) -> Self {
        static SHARED_USER_AGENT: LazyLock<Arc<str>> = LazyLock::new(|| USER_AGENT.into());
        Self {
            url,
            timeout: Self::TIMEOUT,
            slow: Self::SLOW,
            cert_warn: Self::CERT_WARN,
            expect_status: StatusSet::default(),
            contains: None,
            max_redirects: Self::MAX_REDIRECTS,
            user_agent: Arc::clone(&SHARED_USER_AGENT),
            method: MethodChoice::Auto,
            options: None,
        }
    }

    /// What few checks ask or expect.
    #[must_use]
    pub fn options(&self) -> &CheckOptions {
        self.options.as_deref().unwrap_or(CheckOptions::NONE)
    }

    /// What is expected of the answer besides its status and [`Self::contains`].
    #[must_use]
    pub fn assertions(&self) -> &Assertions {
        &self.options().assertions
    }

    /// The texts that the body must hold.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let several = self.assertions().contains.iter();
        self.contains.iter().chain(several).map(|text| &**text)
    }

    /// The method of the first request.
    #[must_use]
    pub fn first_method(&self) -> Method {
        match (self.method.once(), self.method) {
            (Some(once), _) => once,
            (None, MethodChoice::Auto | MethodChoice::Head) if !self.reads_the_body() => {
                Method::Head
            }
            (None, _) => Method::Get,
        }
    }

    /// What the check does.
    #[must_use]
    pub fn kind(&self) -> CheckKind {
        CheckKind::of(&self.url)
    }

    /// Whether the body of the answer is read.
    #[must_use]
    pub fn reads_the_body(&self) -> bool {
        self.contains.is_some() || self.assertions().read_the_body()
    }
}

/// One contiguous run of status codes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRange {
    /// The lowest status.
    pub first: u16,
    /// The highest status.
    pub last: u16,
}

/// The status codes that count as up: those that were named, else everything below 400.
///
/// A named set never equals the default set, even if both hold the same codes: a redirect
/// status that is named is expected as the answer, and is not followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusSet(Vec<StatusRange>);

/// A site is down when its status is 400 or more.
const UNNAMED: [StatusRange; 1] = [StatusRange {
    first: 100,
    last: 399,
}];

impl StatusSet {
    /// Reads "200-299,301": codes and runs of codes from 100 to 999.
    ///
    /// # Errors
    /// A sentence that says what was expected, for anything else.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected status codes such as \"200-299,301\"";
        let code = |text: &str| {
            let code: u16 = text.trim().parse().map_err(|_| EXPECTED)?;
            (100..=999).contains(&code).then_some(code).ok_or(EXPECTED)
        };
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = StatusRange {
                first: code(first)?,
                last: code(last)?,
            };
            if range.first > range.last {
                return Err(EXPECTED);
            }
            ranges.push(range);
        }
        Ok(Self(ranges))
    }

    /// Whether the codes were named, as opposed to the default of everything below 400.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        !self.0.is_empty()
    }

    fn ranges(&self) -> &[StatusRange] {
        if self.is_named() { &self.0 } else { &UNNAMED }
    }

    /// Whether `status` counts as up.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.ranges()
            .iter()
            .any(|range| (range.first..=range.last).contains(&status))
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if range.first == range.last {
                write!(f, "{comma}{}", range.first)?;
            } else {
                write!(f, "{comma}{}-{}", range.first, range.last)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_sets_read_and_print_alike() {
        let set = StatusSet::parse("200-299, 301").unwrap();
        assert!(set.contains(204) && set.contains(301) && !set.contains(302));
        assert_eq!(set.to_string(), "200-299,301");
        for bad in ["", "99", "1000", "300-200", "2xx", "200;301"] {
            assert!(StatusSet::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn by_default_400_or_more_is_down() {
        let set = StatusSet::default();
        assert!(set.contains(399) && !set.contains(400) && !set.contains(500));
        assert_eq!(set.to_string(), "100-399");
        let named = StatusSet::parse("100-399").unwrap();
        assert!(named.is_named() && !set.is_named() && named != set);
    }
}
