//! The table of the demo's sites: what each is called, how it answers, what is wrong with it.

use std::time::Duration;

/// The certificate that a TLS site shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateKind {
    /// Valid for `localhost` and 127.0.0.1 for a year.
    Good,
    /// A certificate that ended a month ago.
    Expired,
    /// Valid, but for five more days only.
    Expiring,
    /// Valid, but for another host.
    WrongHost,
}

/// What is particular, or wrong, about a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Nothing: it answers 200.
    Well,
    /// Answers with this status.
    Status(u16),
    /// Answers with this status about once in so many requests.
    Sometimes(u16, u64),
    /// Accepts the connection, reads the request, and never answers.
    Hang,
    /// Nobody listens on its port.
    Refuse,
    /// Redirects along these paths, the first being the site's own; the last answers 200.
    Redirect(&'static [&'static str]),
    /// Redirects for ever.
    RedirectLoop,
    /// Answers HEAD with 405 and GET with 200.
    HeadRefused,
    /// Reads the request and closes the connection.
    CloseEarly,
    /// Sends the head of its answer a byte at a time, and never its end.
    Drip,
    /// Leaves out the text that its body should hold.
    TextMissing,
    /// Takes this many milliseconds longer than its pace.
    Slow(u64),
    /// Takes this many milliseconds longer with every minute that it is up, then starts
    /// afresh: a leak, and a restart.
    Slows {
        /// Milliseconds a minute.
        per_minute: u64,
        /// It starts afresh after this many seconds.
        restart: u64,
    },
    /// Shows a certificate that is not the good one.
    Certificate(CertificateKind),
}

impl Behaviour {
    /// Whether the fault lies below HTTP; such a site breaks by refusing connections.
    #[must_use]
    pub const fn is_below_http(self) -> bool {
        matches!(
            self,
            Self::Hang | Self::Refuse | Self::CloseEarly | Self::Drip
        )
    }
}

/// When a site behaves in its particular way; at other times it is well. In seconds since
/// the demo began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// From the start to the end of the demo.
    Always,
    /// For `lasts` seconds in every `every`, the first time after `first`.
    Spell {
        /// Seconds until it begins for the first time.
        first: u64,
        /// The length of the failure, in seconds.
        lasts: u64,
        /// From one beginning to the next; longer than `lasts`.
        every: u64,
    },
}

impl When {
    /// Whether it is so at `elapsed`, and how long until that changes, if ever.
    #[must_use]
    pub fn at(self, elapsed: Duration) -> (bool, Option<Duration>) {
        match self {
            Self::Always => (true, None),
            Self::Spell {
                first,
                lasts,
                every,
            } => {
                let Some(since) = elapsed.checked_sub(Duration::from_secs(first)) else {
                    return (false, Some(Duration::from_secs(first) - elapsed));
                };
                let into = Duration::new(since.as_secs() % every, since.subsec_nanos());
                let lasts = Duration::from_secs(lasts);
                match lasts.checked_sub(into) {
                    Some(left) if !left.is_zero() => (true, Some(left)),
                    _ => (false, Some(Duration::from_secs(every) - into)),
                }
            }
        }
    }
}

/// How long a good answer takes, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The least value, in milliseconds.
    pub least: u64,
    /// Up to so much more, differently for every request.
    pub jitter: u64,
}

/// One site of the demo.
#[derive(Clone, Copy, Debug)]
pub struct DemoSite {
    /// Its name on the screen and in commands; unique.
    pub name: &'static str,
    /// The path of its URL.
    pub path: &'static str,
    /// Whether it is asked by https.
    pub tls: bool,
    /// How long it takes when it answers.
    pub pace: Pace,
    /// What is particular about it.
    pub behaviour: Behaviour,
    /// The times at which the fault shows.
    pub when: When,
    /// Who is told; keys of the demo's `[owners]`.
    pub owners: &'static [&'static str],
    /// The tags of the site.
    pub tags: &'static [&'static str],
    /// Text that its body must hold.
    pub contains: Option<&'static str>,
}

impl DemoSite {
    const fn http(name: &'static str, path: &'static str, least: u64, jitter: u64) -> Self {
        Self {
            name,
            path,
            tls: false,
            pace: Pace { least, jitter },
            behaviour: Behaviour::Well,
            when: When::Always,
            owners: &["ops"],
            tags: &[],
            contains: None,
        }
    }

    const fn https(name: &'static str, path: &'static str, least: u64, jitter: u64) -> Self {
        let mut entry = Self::http(name, path, least, jitter);
        entry.tls = true;
        entry
    }

    const fn but(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    const fn spell(mut self, first: u64, lasts: u64, every: u64) -> Self {
        self.when = When::Spell {
            first,
            lasts,
            every,
        };
        self
    }

    const fn of(mut self, owners: &'static [&'static str], tags: &'static [&'static str]) -> Self {
        self.owners = owners;
        self.tags = tags;
        self
    }

    const fn holds(mut self, text: &'static str) -> Self {
        self.contains = Some(text);
        self
    }
}

use Behaviour::{
    Certificate, CloseEarly, Drip, Hang, HeadRefused, Redirect, RedirectLoop, Refuse, Slow, Slows,
    Sometimes, Status, TextMissing,
};

/// The site that takes the messages to the demo's owners.
pub(super) const HOOKS: &str = "hooks";

/// Every site of the demo.
///
/// When it begins, five are down, each for a reason of its own, two are degraded, and the
/// rest are up; two flap, and now and then another one fails for a while, seldom two at once.
#[rustfmt::skip]
pub const SITES: &[DemoSite] = &[
    // Well, at their different paces.
    DemoSite::https("shop", "/", 60, 40).of(&["web"], &["shop"]),
    DemoSite::https("api", "/health", 25, 10).of(&["ops"], &["core"]),
    DemoSite::https("auth", "/session", 45, 15).of(&["ops"], &["core"]),
    DemoSite::http("cart", "/", 80, 60).of(&["web"], &["shop"]),
    DemoSite::http("blog", "/", 180, 60).of(&["web"], &["content"]),
    DemoSite::http("docs", "/start", 90, 20).of(&["web"], &["content"]),
    DemoSite::http("cdn", "/app.js", 2, 3).of(&["ops"], &["static"]),
    DemoSite::http("img", "/logo.png", 12, 8).of(&["ops"], &["static"]),
    DemoSite::https("git", "/", 110, 30).of(&["ops"], &["internal"]),
    DemoSite::http("status", "/", 8, 4).of(&["ops"], &["internal"]),
    DemoSite::http("maps", "/tiles", 40, 390).of(&["web"], &["content"]),
    // Well, in their own way.
    DemoSite::http("www", "/", 15, 10).but(Redirect(&["/", "/home"])).of(&["web"], &["shop"]),
    DemoSite::http("login", "/", 20, 10).but(Redirect(&["/", "/session", "/welcome"])).of(&["ops"], &["core"]),
    DemoSite::http(HOOKS, "/receive", 30, 10).but(HeadRefused).of(&["ops"], &["core"]),
    // Degraded.
    DemoSite::http("mail", "/inbox", 40, 160).but(Slow(600)).of(&["ops"], &["internal"]),
    DemoSite::https("vault", "/", 35, 10).but(Certificate(CertificateKind::Expiring)).of(&["ops"], &["internal"]),
    // Down.
    DemoSite::http("pay", "/charge", 0, 0).but(Hang).of(&["ops", "web"], &["shop", "core"]),
    DemoSite::http("legacy", "/", 30, 10).but(Refuse).of(&["ops"], &["internal"]),
    DemoSite::https("intranet", "/", 40, 10).but(Certificate(CertificateKind::Expired)).of(&["ops"], &["internal"]),
    DemoSite::http("reports", "/daily", 70, 20).but(Status(500)).of(&["ops"], &["internal"]),
    DemoSite::http("careers", "/openings", 50, 20).but(Status(404)).of(&["web"], &["content"]),
    // Up and down again.
    DemoSite::http("wiki", "/", 70, 30).but(Status(503)).spell(40, 20, 60).of(&["web"], &["content"]),
    DemoSite::http("chat", "/", 30, 20).but(Refuse).spell(25, 15, 50).of(&["web"], &["content"]),
    DemoSite::http("news", "/front", 120, 80).but(Sometimes(503, 8)).of(&["web"], &["content"]),
    DemoSite::http("queue", "/depth", 40, 10).but(Slows { per_minute: 220, restart: 300 }).of(&["ops"], &["core"]),
    // Well for now.
    DemoSite::http("search", "/?q=acorn", 60, 30).but(TextMissing).spell(60, 30, 300).holds("acorns found").of(&["web"], &["shop"]),
    DemoSite::https("partner", "/", 55, 20).but(Certificate(CertificateKind::WrongHost)).spell(110, 30, 300).of(&["web"], &["shop"]),
    DemoSite::http("forum", "/", 65, 30).but(RedirectLoop).spell(160, 30, 300).of(&["web"], &["content"]),
    DemoSite::http("upload", "/", 35, 15).but(CloseEarly).spell(210, 30, 300).of(&["ops"], &["static"]),
    DemoSite::http("video", "/live", 50, 25).but(Drip).spell(260, 30, 300).of(&["ops"], &["static"]),
    DemoSite::http("jobs", "/", 45, 15).of(&["web"], &["content"]),
    DemoSite::https("metrics", "/ready", 18, 6).of(&["ops"], &["internal"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_fresh_demo_is_mostly_up_with_five_down_and_two_degraded() {
        let (mut down, mut degraded, mut flapping) = (0, 0, 0);
        for entry in SITES {
            let now = entry.when.at(Duration::ZERO).0;
            match entry.behaviour {
                Hang | Refuse | Status(_) | Certificate(CertificateKind::Expired) if now => {
                    down += 1;
                }
                Certificate(CertificateKind::Expiring) | Slow(500..) => degraded += 1,
                Status(_) | Refuse => flapping += 1,
                TextMissing
                | RedirectLoop
                | CloseEarly
                | Drip
                | Certificate(CertificateKind::WrongHost) => assert!(!now, "{}", entry.name),
                _ => assert!(entry.pace.least + entry.pace.jitter < 500, "{}", entry.name),
            }
        }
        assert_eq!((down, degraded, flapping), (5, 2, 2));
        assert!(SITES.len() >= 24);
    }

    #[test]
    fn every_site_has_a_name_of_its_own_that_a_command_can_carry() {
        let names: HashSet<_> = SITES.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), SITES.len());
        assert!(
            names
                .iter()
                .all(|n| n.bytes().all(|b| b.is_ascii_lowercase()))
        );
        assert!(SITES.iter().all(|entry| entry.path.starts_with('/')));
    }

    #[test]
    fn a_certificate_fault_needs_tls_and_a_missing_text_needs_a_text() {
        for entry in SITES {
            match entry.behaviour {
                Certificate(_) => assert!(entry.tls, "{}", entry.name),
                TextMissing => assert!(entry.contains.is_some(), "{}", entry.name),
                Redirect(steps) => assert_eq!(steps.first(), Some(&entry.path)),
                _ => {}
            }
        }
    }

    #[test]
    fn a_spell_comes_goes_and_comes_again() {
        let when = When::Spell {
            first: 40,
            lasts: 20,
            every: 60,
        };
        assert_eq!(when.at(seconds(0)), (false, Some(seconds(40))));
        assert_eq!(when.at(seconds(40)), (true, Some(seconds(20))));
        assert_eq!(when.at(seconds(59)), (true, Some(seconds(1))));
        assert_eq!(when.at(seconds(60)), (false, Some(seconds(40))));
        assert_eq!(when.at(seconds(100)), (true, Some(seconds(20))));
        assert_eq!(When::Always.at(seconds(7)), (true, None));
    }

    #[test]
    fn following_the_changes_of_a_spell_never_stands_still() {
        let when = When::Spell {
            first: 25,
            lasts: 15,
            every: 50,
        };
        let mut at = Duration::from_millis(1);
        for _ in 0..20 {
            let (before, left) = when.at(at);
            at += left.unwrap();
            assert_eq!(when.at(at).0, !before, "at {at:?}");
        }
    }
}
