//! All sites together: unique names, given in the file or made from URLs, each URL of a list
//! once, and parents that exist and form no circle.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::domain::{CheckSpec, Site};

use super::value_parsers::quoted;

/// The sentence about a name that another site has already.
pub(super) fn taken(name: &str) -> String {
    format!("the name {} is taken already", quoted(name))
}

/// A check spec that is hashed and compared by its URL alone; shared, so that a million URLs
/// are not copied.
#[derive(Debug)]
struct ByUrl(Arc<CheckSpec>);

impl Borrow<str> for ByUrl {
    fn borrow(&self) -> &str {
        self.0.url.expose()
    }
}

impl PartialEq for ByUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.url == other.0.url
    }
}

impl Eq for ByUrl {}

impl Hash for ByUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `str` does, which `Borrow` asks for.
        self.0.url.expose().hash(state);
    }
}

/// The sites that were read so far.
#[derive(Debug, Default)]
pub(super) struct SiteRegistry {
    sites: Vec<Site>,
    /// The sites whose names were made from their URLs.
    unnamed: Vec<usize>,
    given: HashSet<Box<str>>,
    urls: HashSet<ByUrl>,
    /// Those of `sites.toml` itself.
    own_urls: HashSet<ByUrl>,
}

impl SiteRegistry {
    /// The sites that were added so far are those of `sites.toml` itself; those of lists follow.
    pub(super) fn begin_lists(&mut self) {
        let specs = self.urls.iter().map(|url| ByUrl(Arc::clone(&url.0)));
        self.own_urls = specs.collect();
    }

    /// Whether a site of `sites.toml` itself has this URL: it has its own word on a site of a
    /// list.
    pub(super) fn has_own_url(&self, url: &str) -> bool {
        self.own_urls.contains(url)
    }

    /// Adds a site whose name was given; `false` if another was given it before.
    #[must_use]
    pub(super) fn add_named(&mut self, site: Site) -> bool {
        let new = self.given.insert(site.name.clone());
        self.urls.insert(ByUrl(Arc::clone(&site.spec)));
        self.sites.push(site);
        new
    }

    /// Takes a name for a site that cannot be added; `false` if another was given it before.
    #[must_use]
    pub(super) fn reserve(&mut self, name: Box<str>) -> bool {
        self.given.insert(name)
    }

    /// Adds a site whose name was made from its URL.
    pub(super) fn add_unnamed(&mut self, site: Site) {
        self.unnamed.push(self.sites.len());
        self.urls.insert(ByUrl(Arc::clone(&site.spec)));
        self.sites.push(site);
    }

    /// Whether a site has this URL.
    pub(super) fn has_url(&self, url: &str) -> bool {
        self.urls.contains(url)
    }

    /// The sites, every name unique but for those that were given twice. Made names that
    /// collide become whole URLs, all of them, so that the order of the file does not matter.
    pub(super) fn into_sites(self) -> Vec<Site> {
        let Self {
            mut sites,
            unnamed,
            given,
            urls,
            own_urls,
        } = self;
        drop((urls, own_urls));
        let mut made: HashMap<&str, u32> = HashMap::with_capacity(unnamed.len());
        for &index in &unnamed {
            *made.entry(&sites[index].name).or_default() += 1;
        }
        let mut renamed: Vec<(usize, Box<str>)> = Vec::new();
        let mut new_names: HashSet<Box<str>> = HashSet::new();
        // The number that each name goes on with: very many URLs may be shown alike.
        let mut next: HashMap<&str, u32> = HashMap::new();
        for &index in &unnamed {
            let site = &sites[index];
            if made.get(&*site.name) == Some(&1) && !given.contains(&site.name) {
                continue;
            }
            let shown = site.spec.url.shown();
            let mut name = Box::<str>::from(shown);
            // Two URLs that differ in their passwords alone are shown alike.
            let number = next.entry(shown).or_insert(1);
            while given.contains(&name) || made.contains_key(&*name) || new_names.contains(&name) {
                *number += 1;
                name = format!("{shown} ({number})").into_boxed_str();
            }
            new_names.insert(name.clone());
            renamed.push((index, name));
        }
        drop(made);
        for (index, name) in renamed {
            sites[index].name = name;
        }
        sites
    }
}

/// Why the parent of a site is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ParentError {
    /// No site has that name.
    Missing,
    /// The site is its own ancestor: the names on the way, from it back to it.
    Circle(Vec<Box<str>>),
}

/// The sites whose parents are wrong. A circle is named at the first of its sites.
pub(super) fn wrong_parents(sites: &[Site], also: &HashSet<Box<str>>) -> Vec<(usize, ParentError)> {
    let mut wanted: HashMap<&str, Option<usize>> = sites
        .iter()
        .filter_map(|site| Some((site.parent.as_deref()?, None)))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    for (index, site) in sites.iter().enumerate() {
        if let Some(found) = wanted.get_mut(&*site.name) {
            found.get_or_insert(index);
        }
    }
    let parent = |index: usize| -> Option<usize> { *wanted.get(sites[index].parent.as_deref()?)? };
    let mut faults = Vec::new();
    // Which walk came by a site first; every site is walked over once.
    let mut seen: HashMap<usize, usize> = HashMap::new();
    for (start, site) in sites.iter().enumerate() {
        let Some(name) = &site.parent else { continue };
        if parent(start).is_none() && !also.contains(name) {
            faults.push((start, ParentError::Missing));
        }
        let mut at = start;
        loop {
            if let Some(walk) = seen.get(&at) {
                if *walk == start {
                    faults.push((at, ParentError::Circle(circle(sites, at, &parent))));
                }
                break;
            }
            seen.insert(at, start);
            match parent(at) {
                Some(next) => at = next,
                None => break,
            }
        }
    }
    faults
}

fn circle(sites: &[Site], start: usize, parent: &impl Fn(usize) -> Option<usize>) -> Vec<Box<str>> {
    const MOST: usize = 6;
    let mut names = vec![sites[start].name.clone()];
    let mut at = start;
    while let Some(next) = parent(at) {
        if names.len() == MOST && next != start {
            names.push("…".into());
            break;
        }
        names.push(sites[next].name.clone());
        at = next;
        if at == start {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::monitor_settings::MonitorSettings;
    use super::super::sites_table::plain_site;
    use super::*;
    use crate::domain::MaskedUrl;

    fn unnamed(url: &str) -> Site {
        let url = MaskedUrl::new(url);
        plain_site(url.host_and_path().into(), url, &MonitorSettings::default())
    }

    fn child(name: &str, parent: Option<&str>) -> Site {
        let mut site = unnamed(&format!("http://{name}/"));
        site.parent = parent.map(Into::into);
        site
    }

    fn names(sites: Vec<Site>) -> Vec<Box<str>> {
        sites.into_iter().map(|site| site.name).collect()
    }

    #[test]
    fn made_names_that_collide_become_whole_urls() {
        let mut registry = SiteRegistry::default();
        for url in [
            "http://a/",
            "https://a/",
            "http://b/",
            "http://u:x@c/",
            "http://u:y@c/",
        ] {
            registry.add_unnamed(unnamed(url));
        }
        let mut given = unnamed("http://d/");
        given.name = "e".into();
        assert!(registry.add_named(given));
        registry.add_unnamed(unnamed("http://e/"));
        assert_eq!(
            names(registry.into_sites())
                .iter()
                .map(|name| &**name)
                .collect::<Vec<_>>(),
            [
                "http://a/",
                "https://a/",
                "b",
                "http://u:***@c/",
                "http://u:***@c/ (2)",
                "e",
                "http://e/"
            ]
        );
    }

    #[test]
    fn a_name_is_given_once() {
        let mut registry = SiteRegistry::default();
        assert!(registry.add_named(unnamed("http://a/")));
        assert!(!registry.add_named(unnamed("http://a/")));
        assert!(registry.has_url("http://a/") && !registry.has_url("http://b/"));
    }

    #[test]
    fn parents_must_exist() {
        let sites = [
            child("a", None),
            child("b", Some("a")),
            child("c", Some("x")),
        ];
        assert_eq!(
            wrong_parents(&sites, &HashSet::new()),
            [(2, ParentError::Missing)]
        );
        assert!(wrong_parents(&sites, &HashSet::from(["x".into()])).is_empty());
    }

    #[test]
    fn a_circle_of_parents_is_named_once() {
        let sites = [
            child("into", Some("b")),
            child("a", Some("b")),
            child("b", Some("c")),
            child("c", Some("a")),
            child("self", Some("self")),
        ];
        let faults = wrong_parents(&sites, &HashSet::new());
        assert_eq!(
            faults,
            [
                (
                    2,
                    ParentError::Circle(vec!["b".into(), "c".into(), "a".into(), "b".into()])
                ),
                (4, ParentError::Circle(vec!["self".into(), "self".into()])),
            ]
        );
    }
}
