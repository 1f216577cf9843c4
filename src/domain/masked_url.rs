//! A URL that keeps its password out of everything that is shown, stored or logged.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize, Serializer};
use url::{Host, Url};

/// A URL whose password shows as `***` wherever it is printed.
///
/// `Display` and `Debug` mask it; only [`MaskedUrl::expose`] and [`MaskedUrl::parsed`] give
/// the password. It is parsed at most once and stays parsed. Serialises as its full text.
/// Two are equal if their texts are.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct MaskedUrl {
    full: FullUrl,
    /// Where the host stands in the full text: it is asked for with every result.
    host: (u32, u32),
    /// The masked text; `None` where there is no password.
    masked: Option<Box<str>>,
}

#[derive(Clone)]
enum FullUrl {
    Parsed(Box<Url>),
    /// The text as it was given, and what the URL Standard makes of it, once that was needed;
    /// `None` where it is no URL.
    Text(Box<str>, OnceLock<Option<Box<Url>>>),
}

impl MaskedUrl {
    /// Wraps a text that the caller knows to be a URL; it is parsed when that is first needed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            masked: mask_password(&text),
            host: place_of_host(&text),
            full: FullUrl::Text(text.into_boxed_str(), OnceLock::new()),
        }
    }

    /// The full text with its password: for requests and connections, never for display.
    #[must_use]
    pub fn expose(&self) -> &str {
        match &self.full {
            FullUrl::Parsed(url) => url.as_str(),
            FullUrl::Text(text, _) => text,
        }
    }

    /// The parsed URL with its password; `None` if the text is no absolute URL by the URL
    /// Standard.
    #[must_use]
    pub fn parsed(&self) -> Option<&Url> {
        match &self.full {
            FullUrl::Parsed(url) => Some(url),
            FullUrl::Text(text, parsed) => parsed
                .get_or_init(|| Url::parse(text).ok().map(Box::new))
                .as_deref(),
        }
    }

    /// The text with its password masked, for display, storage and logs.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.masked.as_deref().unwrap_or_else(|| self.expose())
    }

    /// The text without scheme, user, password and trailing slashes: the default name of a
    /// site.
    #[must_use]
    pub fn host_and_path(&self) -> &str {
        let full = self.expose();
        full[start_of_host(full)..].trim_end_matches('/')
    }

    /// The host without its port: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let (start, end) = self.host;
        &self.expose()[start as usize..end as usize]
    }

    /// The IP address of a host that is given as one; `None` for a host name.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        match self.parsed()?.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            // Of schemes that are not the web's the host is a text.
            Host::Domain(name) => name.parse().ok(),
        }
    }
}

/// Where the text of a URL goes on behind its scheme, user and password.
fn start_of_host(full: &str) -> usize {
    let start = full.find("://").map_or(0, |at| at + 3);
    let rest = &full[start..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest[..end].rfind('@').map_or(start, |at| start + at + 1)
}

/// Where the host of a URL begins and ends in its text.
fn place_of_host(full: &str) -> (u32, u32) {
    let start = start_of_host(full);
    let rest = &full[start..];
    let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // A text of 4 GiB is no URL.
    let end = u32::try_from(start + host.len()).unwrap_or_default();
    (end.saturating_sub(host.len() as u32), end)
}

/// The URLs of a list with `;` between them, as a list of brokers has; one URL for any other text.
pub(super) fn url_list(text: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, _) in text.match_indices(';') {
        let behind = &text[at + 1..];
        let scheme = behind.split_once("://").map_or("", |(scheme, _)| scheme);
        let in_schemes = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.is_empty() && scheme.chars().all(in_schemes) {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `scheme://user:secret@host` with the secret as `***`, in each URL of a list; `None` where there is
/// no password.
fn mask_password(text: &str) -> Option<Box<str>> {
    // As most have none, no list of parts is made for them.
    if !text.contains('@') {
        return None;
    }
    let parts = url_list(text);
    let masked: Vec<_> = parts.iter().map(|part| mask_one(part)).collect();
    if masked.iter().all(Option::is_none) {
        return None;
    }
    let shown = masked.iter().zip(&parts);
    let shown = shown.map(|(masked, part)| masked.as_deref().unwrap_or(part));
    Some(shown.collect::<Vec<_>>().join(";").into())
}

fn mask_one(url: &str) -> Option<Box<str>> {
    let start = url.find("://")? + 3;
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| start + at);
    let at = start + url[start..end].rfind('@')?;
    let colon = start + url[start..at].find(':')?;
    Some(format!("{}:***{}", &url[..colon], &url[at..]).into())
}

impl From<Url> for MaskedUrl {
    fn from(url: Url) -> Self {
        Self {
            masked: mask_password(url.as_str()),
            host: place_of_host(url.as_str()),
            full: FullUrl::Parsed(Box::new(url)),
        }
    }
}

impl From<String> for MaskedUrl {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Serialize for MaskedUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl PartialEq for MaskedUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for MaskedUrl {}

impl Hash for MaskedUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl PartialOrd for MaskedUrl {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MaskedUrl {
    fn cmp(&self, other: &Self) -> Ordering {
        self.expose().cmp(other.expose())
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
        assert_eq!(
            MaskedUrl::new("redis://:one@a/0;redis://b;redis://:t;wo@c").to_string(),
            "redis://:***@a/0;redis://b;redis://:***@c"
        );
    }

    #[test]
    fn a_url_and_its_text_are_equal_and_serialise_alike() {
        let text = "https://ann:s3cret@example.org/a?b=c";
        let url = MaskedUrl::from(Url::parse(text).unwrap());
        assert_eq!(url, MaskedUrl::new(text));
        assert_eq!(url.parsed(), MaskedUrl::new(text).parsed());
        assert_eq!(serde_json::to_string(&url).unwrap(), format!("{text:?}"));
        let read: MaskedUrl = serde_json::from_str(&format!("{text:?}")).unwrap();
        assert_eq!(read.parsed(), url.parsed());
        assert_eq!(MaskedUrl::new("no URL").parsed(), None);
    }
}
