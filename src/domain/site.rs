//! A site as its owner described it, and the look that a check takes at it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An absolute http(s) URL whose password shows as `***` wherever it is printed.
///
/// `Display` and `Debug` mask it; only [`MaskedUrl::expose`] gives the URL to send.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct MaskedUrl {
    full: Box<str>,
    /// The masked form, where it differs.
    shown: Option<Box<str>>,
}

impl MaskedUrl {
    /// Wraps a URL that was parsed and normalised by the caller.
    #[must_use]
    pub fn new(normalised: impl Into<String>) -> Self {
        let full = normalised.into();
        let shown = mask_password(&full).map(String::into_boxed_str);
        Self {
            full: full.into_boxed_str(),
            shown,
        }
    }

    /// The URL with its password, for the request itself and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.full
    }

    /// The URL as it may be shown, stored and logged.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.full)
    }

    /// Scheme, user and password removed: what is left is a name for the site.
    #[must_use]
    pub fn host_and_path(&self) -> &str {
        let rest = self
            .full
            .split_once("://")
            .map_or(&*self.full, |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
        rest[start..].trim_end_matches('/')
    }
}

impl MaskedUrl {
    /// The host alone: a name, or an address (IPv6 in brackets).
    #[must_use]
    pub fn host(&self) -> &str {
        let place = self.host_and_path();
        let end = place.find(['/', '?', '#']).unwrap_or(place.len());
        let host = &place[..end];
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// The address that stands in place of a name.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        self.host().trim_matches(['[', ']']).parse().ok()
    }
}

/// `scheme://user:secret@host` with the secret as `***`; `None` where there is no password.
fn mask_password(url: &str) -> Option<String> {
    let start = url.find("://")? + 3;
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| start + at);
    let at = start + url[start..end].rfind('@')?;
    let colon = start + url[start..at].find(':')?;
    Some(format!("{}:***{}", &url[..colon], &url[at..]))
}

impl From<String> for MaskedUrl {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

impl From<MaskedUrl> for String {
    fn from(url: MaskedUrl) -> Self {
        url.full.into_string()
    }
}

impl fmt::Display for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl fmt::Debug for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskedUrl({})", self.shown())
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
/// Named codes are never equal to none, not even where they count alike: whoever names a
/// redirect wants it answered, not followed.
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

    /// Whether somebody named them.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        !self.0.is_empty()
    }

    fn ranges(&self) -> &[StatusRange] {
        if self.is_named() { &self.0 } else { &UNNAMED }
    }

    /// Whether `status` is one of them.
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

/// All that one check needs to know, and no more: it travels to other processes and
/// other machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// What to ask.
    pub url: MaskedUrl,
    /// The whole check, from connecting to the verdict, every redirect included.
    pub timeout: Duration,
    /// An answer that took longer than this is degraded.
    pub slow: Duration,
    /// A certificate that ends sooner than this is degraded.
    pub cert_warn: Duration,
    /// The statuses that count as up.
    pub expect_status: StatusSet,
    /// Text that the body must hold; makes the check a GET.
    pub contains: Option<Box<str>>,
    /// How many redirects are followed.
    pub max_redirects: u16,
    /// The User-Agent header.
    pub user_agent: Arc<str>,
}

/// A site as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Unique in its list.
    pub name: Box<str>,
    /// What a check looks at.
    pub spec: Arc<CheckSpec>,
    /// How often it is checked.
    pub interval: Duration,
    /// Failures in a row before it is called down; at least 1.
    pub confirm: u32,
    /// Good looks in a row that end an outage; at least 1.
    pub recover: u32,
    /// How soon after a failure, or a first good look, it is looked at again.
    pub confirm_delay: Duration,
    /// Who is told; names of [`Owner`]s.
    pub owners: Vec<Box<str>>,
    /// Labels for filters and reports.
    pub tags: Vec<Box<str>>,
    /// The site whose outage explains this one's.
    pub parent: Option<Box<str>>,
    /// Not checked until it is resumed.
    pub paused: bool,
}

/// Somebody to be told, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The key under `[owners]`.
    pub name: Box<str>,
    /// An address for mail.
    pub email: Option<Box<str>>,
    /// A number for SMS, in international form.
    pub sms: Option<Box<str>>,
    /// An ntfy topic.
    pub push: Option<Box<str>>,
    /// A URL that JSON is posted to.
    pub webhook: Option<MaskedUrl>,
    /// When messages wait.
    pub quiet: Option<Quiet>,
    /// Who is told when nobody acknowledges.
    pub escalate: Option<Escalation>,
    /// The kinds of events that the owner is told of.
    pub tell: Tell,
}

/// The kinds of events that an owner is told of: the key `tell`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tell {
    /// Outages: their beginning, their end, and reminders.
    pub down: bool,
    /// Certificates that end soon.
    pub certificate: bool,
    /// Slowness that lasts.
    pub slow: bool,
}

impl Default for Tell {
    fn default() -> Self {
        Self {
            down: true,
            certificate: true,
            slow: false,
        }
    }
}

/// A stretch of every day, in local time; it goes over midnight where it ends before it
/// begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Minutes since midnight.
    pub from: u16,
    /// Minutes since midnight; another than `from`.
    pub to: u16,
    /// A time zone of the IANA database; the machine's own without.
    pub zone: Option<Box<str>>,
}

/// Who is told of an outage that nobody acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The other owner's name.
    pub to: Box<str>,
    /// So long after the first one was told.
    pub after: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_without_port_path_and_user() {
        for (url, host) in [
            ("https://u:p@Example.org:8443/a?b", "Example.org"),
            ("http://203.0.113.7/", "203.0.113.7"),
            ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
            ("http://[2001:db8::1]/", "[2001:db8::1]"),
            ("http://a.example?x=1:2", "a.example"),
        ] {
            assert_eq!(MaskedUrl::new(url).host(), host, "{url}");
        }
        let address = MaskedUrl::new("http://[2001:db8::1]:80/").literal();
        assert_eq!(address, "2001:db8::1".parse().ok());
    }

    #[test]
    fn a_password_never_shows() {
        let url = MaskedUrl::new("https://ann:s3cret@example.org/a:b@c");
        assert_eq!(url.to_string(), "https://ann:***@example.org/a:b@c");
        assert!(!format!("{url:?}").contains("s3cret"));
        assert_eq!(url.expose(), "https://ann:s3cret@example.org/a:b@c");
        assert_eq!(url.host_and_path(), "example.org/a:b@c");
        assert_eq!(
            MaskedUrl::new("http://ann@h:80/").to_string(),
            "http://ann@h:80/"
        );
    }

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
