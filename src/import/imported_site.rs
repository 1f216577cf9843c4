//! The content of another monitor's configuration in terms of `sites.toml`.

use std::fmt;
use std::time::Duration;

use crate::config::from_urls;
use crate::domain::{CheckKind, CheckOptions, MaskedUrl, clean, is_field_name, is_own};

/// The methods that are sent once, which take a body.
const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Characters of a name that is taken over; more would not be taken by the configuration,
/// which a number behind it must still fit into.
const LONGEST_NAME: usize = 180;

/// A site to be written; `None` and empty fields are left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ImportedSite {
    pub(super) name: String,
    pub(super) url: MaskedUrl,
    pub(super) tags: Vec<String>,
    pub(super) interval: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    pub(super) slow: Option<Duration>,
    pub(super) cert_warn: Option<Duration>,
    pub(super) confirm: Option<u32>,
    pub(super) confirm_delay: Option<Duration>,
    pub(super) recover: Option<u32>,
    pub(super) expect_status: Option<String>,
    pub(super) contains: Option<String>,
    /// The method that the other monitor asked by, where it is one of ours.
    pub(super) method: Option<&'static str>,
    pub(super) max_redirects: Option<u32>,
    pub(super) paused: bool,
    /// Header fields of the requests.
    pub(super) headers: Vec<(String, String)>,
    /// The body of the request.
    pub(super) body: Option<String>,
    /// Further keys with their values, as they stand in the file.
    pub(super) more: Vec<(&'static str, String)>,
    /// Settings without a counterpart, one phrase each.
    pub(super) unsupported: Vec<String>,
}

impl ImportedSite {
    /// A site of which no more is known.
    pub(super) fn new(name: &str, url: MaskedUrl) -> Self {
        let mut name = clean(name, LONGEST_NAME);
        if name.is_empty() {
            name = clean(url.host_and_path(), LONGEST_NAME);
        }
        Self {
            name,
            url,
            tags: Vec::new(),
            interval: None,
            timeout: None,
            slow: None,
            cert_warn: None,
            confirm: None,
            confirm_delay: None,
            recover: None,
            expect_status: None,
            contains: None,
            method: None,
            max_redirects: None,
            paused: false,
            headers: Vec::new(),
            body: None,
            more: Vec::new(),
            unsupported: Vec::new(),
        }
    }

    /// Takes over the method that the other monitor asked by; none named means GET.
    pub(super) fn ask_by(&mut self, method: &str) {
        match method {
            "" | "GET" => self.method = Some("GET"),
            "HEAD" => self.method = Some("HEAD"),
            other => match METHODS.into_iter().find(|known| *known == other) {
                Some(known) => self.method = Some(known),
                None => self.add_unsupported(format!("method {other}")),
            },
        }
    }

    /// Whether the method that it is asked by takes a body.
    fn takes_a_body(&self) -> bool {
        self.method.is_some_and(|method| METHODS.contains(&method))
    }

    /// Takes over the body of the request, after its method.
    pub(super) fn send(&mut self, body: &str) {
        let most = CheckOptions::MOST_BODY;
        if self.takes_a_body() && !body.is_empty() && body.len() <= most {
            self.body = Some(body.to_owned());
        } else if !body.is_empty() {
            self.add_unsupported("a body is sent");
        }
    }

    /// Takes over a header field of the requests.
    pub(super) fn header(&mut self, name: &str, value: &str) {
        let value = value.trim();
        let fits = !value.is_empty()
            && value.len() <= CheckOptions::MOST_HEADER
            && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let known = |(known, _): &(String, String)| known.eq_ignore_ascii_case(name);
        let is_new = !self.headers.iter().any(known);
        let has_room = self.headers.len() < CheckOptions::MOST_HEADERS;
        if fits && is_new && has_room && is_field_name(name) && !is_own(name) {
            self.headers.push((name.to_owned(), value.to_owned()));
        } else {
            // Its value may be a secret.
            self.add_unsupported(format!("header {name}"));
        }
    }

    /// Adds a key with its value as it stands in the file.
    pub(super) fn add(&mut self, key: &'static str, value: impl Into<String>) {
        self.more.push((key, value.into()));
    }

    /// Adds a tag, unless the site has it.
    pub(super) fn tag(&mut self, tag: &str) {
        let tag = clean(tag, LONGEST_NAME);
        if !tag.is_empty() && !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
    }

    /// Sets the interval, raised to the least possible one of a second.
    pub(super) fn every(&mut self, interval: Duration) {
        const LEAST: Duration = Duration::from_secs(1);
        if interval < LEAST {
            self.add_unsupported(format!("interval {interval:?}: 1s is the least"));
        }
        self.interval = Some(interval.max(LEAST));
    }

    /// The text that the body must hold: one is all there can be.
    pub(super) fn holds(&mut self, text: &str) {
        if text.is_empty() || self.contains.is_some() {
            self.add_unsupported(format!("the body must hold \"{text}\" as well"));
        } else {
            self.contains = Some(text.to_owned());
        }
    }

    /// Adds a setting that has no counterpart.
    pub(super) fn add_unsupported(&mut self, what: impl Into<String>) {
        self.unsupported.push(what.into());
    }
}

/// What was found, in its order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    Site(Box<ImportedSite>),
    /// Something that is watched there and cannot be here.
    LeftOut {
        name: String,
        why: String,
    },
}

impl Finding {
    pub(super) fn left_out(name: &str, why: impl Into<String>) -> Self {
        Self::LeftOut {
            name: name.to_owned(),
            why: why.into(),
        }
    }
}

/// Everything that was found in the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ImportedConfig {
    pub(super) found: Vec<Finding>,
    /// Settings without a counterpart that belong to no site.
    pub(super) unsupported: Vec<String>,
}

impl ImportedConfig {
    pub(super) fn add_site(&mut self, site: ImportedSite) {
        self.found.push(Finding::Site(Box::new(site)));
    }

    pub(super) fn add_left_out(&mut self, name: &str, why: impl Into<String>) {
        self.found.push(Finding::left_out(name, why));
    }
}

/// Why a file cannot be read as that format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// Which of the files, counted from 0.
    pub file: usize,
    /// The line, counted from 1; `None` where there is none to name.
    pub line: Option<u64>,
    /// One sentence; cleaned.
    pub sentence: String,
}

impl ImportError {
    pub(super) fn new(line: u64, sentence: impl AsRef<str>) -> Self {
        Self {
            file: 0,
            line: (line > 0).then_some(line),
            sentence: clean(sentence.as_ref(), 300),
        }
    }

    /// The same about another file.
    pub(super) fn of_file(self, file: usize) -> Self {
        Self { file, ..self }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "{line}: ")?;
        }
        f.write_str(&self.sentence)
    }
}

/// The parsed URL; `None` if it is not an http or https URL.
pub(super) fn http_url(text: &str) -> Option<MaskedUrl> {
    site_url(text).filter(|url| CheckKind::of(url) == CheckKind::Http)
}

/// The parsed URL of any kind of check; `None` if it is none.
pub(super) fn site_url(text: &str) -> Option<MaskedUrl> {
    let config = from_urls(&[text.to_owned()], None).ok()?;
    config.sites.first().map(|site| site.spec.url.clone())
}

/// A URL with a name and a password to sign in with.
pub(super) fn signed_in(url: &MaskedUrl, user: &str, password: &str) -> Option<MaskedUrl> {
    let mut with = url::Url::parse(url.expose()).ok()?;
    with.set_username(user).ok()?;
    with.set_password(Some(password)).ok()?;
    http_url(with.as_str())
}

/// A target as a comment may name it.
pub(super) fn shown(target: &str) -> String {
    let masked = MaskedUrl::new(target);
    // What stands behind "?" may be a token.
    let shown = masked.shown();
    let end = shown.find(['?', '#']).unwrap_or(shown.len());
    clean(&shown[..end], 120)
}
