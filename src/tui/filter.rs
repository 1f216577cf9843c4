//! The filter of the table of sites.

use crate::domain::{Silence, SiteId};
use crate::monitor::SiteState;

use super::theme;

/// Words that a site must all match; without a word every site matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
enum Term {
    /// A part of the name or URL, or the beginning of the state, reason or status, or of the word
    /// for a mark.
    Any(String, Option<Mark>),
    /// A part of a tag.
    Tag(String),
    /// A part of an owner's name.
    Owner(String),
}

/// What a site is marked with in the table.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Maintenance,
    /// Nobody is told of it, for whatever reason.
    Silenced,
    Acknowledged,
}

impl Mark {
    /// The words for marks. Those with one are asked of every site, so that a word has to be typed as
    /// far as the shortest of them.
    const WORDS: [(&'static str, Self); 4] = [
        ("maintenance", Self::Maintenance),
        ("silenced", Self::Silenced),
        ("acked", Self::Acknowledged),
        ("acknowledged", Self::Acknowledged),
    ];

    fn named(word: &str) -> Option<Self> {
        let begins = |whole: &str| word.len() >= 4 && whole.starts_with(word);
        let mut words = Self::WORDS.iter();
        Some(words.find(|(whole, _)| begins(whole))?.1)
    }

    fn is_on(self, state: &SiteState, silence: &dyn Fn(SiteId) -> Option<Silence>) -> bool {
        match self {
            Self::Maintenance => matches!(silence(state.id()), Some(Silence::Maintenance(_))),
            Self::Silenced => silence(state.id()).is_some(),
            Self::Acknowledged => {
                let outage = state.outage();
                outage.is_some_and(|outage| outage.acknowledged.is_some())
            }
        }
    }
}

impl Filter {
    /// Parses words separated by blanks; a word after `tag:` or `owner:` matches only tags or
    /// owners; others also match the marks of a site.
    pub(crate) fn new(text: &str) -> Self {
        let terms = text.split_whitespace().map(|word| {
            let word = word.to_lowercase();
            match word.split_once(':') {
                Some(("tag", tag)) => Term::Tag(tag.to_owned()),
                Some(("owner", owner)) => Term::Owner(owner.to_owned()),
                _ => {
                    let mark = Mark::named(&word);
                    Term::Any(word, mark)
                }
            }
        });
        Self {
            terms: terms.collect(),
            text: text.to_owned(),
        }
    }

    /// The text as it was typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether every site matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether this site matches; `silence` says why nobody is told of one.
    pub(crate) fn matches(
        &self,
        state: &SiteState,
        silence: &dyn Fn(SiteId) -> Option<Silence>,
    ) -> bool {
        let site = state.site();
        self.terms.iter().all(|term| match term {
            Term::Tag(tag) => site.tags.iter().any(|own| contains(own, tag)),
            Term::Owner(owner) => site.owners.iter().any(|own| contains(own, owner)),
            Term::Any(word, mark) => {
                mark.is_some_and(|mark| mark.is_on(state, silence))
                    || contains(&site.name, word)
                    || contains(site.spec.url.shown(), word)
                    || says(state, word)
            }
        })
    }
}

/// Whether one of the words in the site's row begins with `word`.
fn says(state: &SiteState, word: &str) -> bool {
    let begins = |whole: &str| {
        whole
            .as_bytes()
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    let last = state.last();
    begins(theme::site_badge(state).word)
        || begins(theme::badge(state.state()).word)
        || last
            .and_then(|last| last.reason)
            .is_some_and(|reason| begins(reason.word()))
        || last
            .and_then(|last| last.status)
            .is_some_and(|status| begins(&status.to_string()))
}

/// Whether `text` contains `lower`, in either case; `lower` is in lower case already.
fn contains(text: &str, lower: &str) -> bool {
    if !lower.is_ascii() {
        return text.to_lowercase().contains(lower);
    }
    // A list of 100,000 sites is searched at every key: no allocation here.
    let lower = lower.as_bytes();
    let Some(first) = lower.first() else {
        return true;
    };
    text.as_bytes()
        .windows(lower.len())
        .any(|part| part[0].to_ascii_lowercase() == *first && part.eq_ignore_ascii_case(lower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Acknowledgement;
    use crate::tui::fixture::{self, Fixture};

    fn matching(filter: &str) -> Vec<String> {
        let fixture = Fixture::mixed();
        let filter = Filter::new(filter);
        let sites = fixture
            .monitor
            .sites()
            .filter(|site| filter.matches(site, &|_| None));
        sites.map(|site| site.site().name.to_string()).collect()
    }

    #[test]
    fn every_column_can_be_asked_for() {
        assert_eq!(matching("PAY"), ["pay.example/charge"]);
        assert_eq!(matching("down"), ["pay.example/charge"]);
        assert_eq!(matching("timeout"), ["pay.example/charge"]);
        assert_eq!(matching("slow"), ["mail.example"]);
        assert_eq!(matching("204"), ["auth.example"]);
        assert_eq!(matching("tag:shop"), ["pay.example/charge", "shop.example"]);
        assert_eq!(matching("owner:web"), ["www.example"]);
        assert_eq!(matching("tag:shop down"), ["pay.example/charge"]);
        assert_eq!(matching("no such site"), [""; 0]);
        assert_eq!(matching("").len(), fixture::MIXED);
    }

    #[test]
    fn what_is_marked_is_found_by_a_word() {
        let mut fixture = Fixture::mixed();
        let [pay, shop, mail] =
            ["pay.example/charge", "shop.example", "mail.example"].map(|name| fixture.id(name));
        fixture.monitor.acknowledge(
            pay,
            Some(Acknowledgement {
                at: fixture.now().wall,
                note: "ana".into(),
            }),
        );
        let silence = |site| match site {
            site if site == shop => Some(Silence::Maintenance(fixture.now().wall)),
            site if site == mail => Some(Silence::Parent("Gateway".into())),
            _ => None,
        };
        for (word, expected) in [
            ("maintenance", &[shop][..]),
            ("maint", &[shop]),
            ("silenced", &[mail, shop]),
            ("acked", &[pay]),
            ("acknowledged down", &[pay]),
            ("acked silenced", &[]),
        ] {
            let filter = Filter::new(word);
            let sites = fixture.monitor.sites();
            let found = sites.filter(|site| filter.matches(site, &silence));
            let mut found: Vec<_> = found.map(|site| site.id()).collect();
            found.sort_unstable_by_key(|id| *id != mail);
            assert_eq!(found, expected, "{word}");
        }
    }

    #[test]
    fn characters_match_in_either_case_and_any_alphabet() {
        assert!(contains("Straße ÄÖÜ", "äö"));
        assert!(contains("ExAmPlE", "ample"));
        assert!(!contains("short", "longer than it"));
        assert!(contains("x", ""));
    }
}
